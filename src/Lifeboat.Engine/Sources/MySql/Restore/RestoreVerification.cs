using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>Reads the staged database back and compares all of it with what was captured.</summary>
/// <param name="created">Accounts that the restore made: they must be as captured, while others are none of its business.</param>
internal sealed class RestoreVerification(RestoreTarget target, IReadOnlyList<Account> created, TableReadBack readBack)
{
    private readonly List<VerifyCheck> _checks = [];

    public async Task<VerifyReport> RunAsync(CancellationToken cancellation)
    {
        await using MySqlSession session = await target.OpenStagingAsync(cancellation);
        IReadOnlyList<CatalogueTable> tables = await TableCatalogue.ReadAsync(session, target.Names.Staging, cancellation);
        await CompareRowsAsync(session, tables, cancellation);
        await CompareDefinitionsAsync(session, tables, cancellation);
        foreach (Account account in created)
        {
            Account there = await AccountReader.ReadAsync(session, account.User, account.Host, account.IsPlainRole, cancellation);
            bool same = account.Identified == there.Identified && account.Options == there.Options;
            Check($"account {account.Name}", same ? "as captured" : "its options and password as captured", same ? "as captured" : "others");
            // Those on single tables and routines are given, and compared, when these are in place.
            Check($"grants of {account.Name}", Listed(account.Grants.Where(static g => !GrantText.IsLate(g))), Listed(there.Grants.Where(static g => !GrantText.IsLate(g))));
        }

        return new VerifyReport(_checks);
    }

    private static string Listed(IEnumerable<string> grants) => string.Join("; ", grants.Order(StringComparer.Ordinal));

    private void Check(string subject, string expected, string found) => _checks.Add(new VerifyCheck(subject, expected, found));

    private async Task CompareRowsAsync(MySqlSession session, IReadOnlyList<CatalogueTable> tables, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, CapturedRows> read = await readBack.CompleteAsync(session, tables, cancellation);
        foreach (TableMetadata expected in target.Captured.Tables!)
            Check(
                $"table {expected.Name}", FormattableString.Invariant($"{expected.Rows} rows, {expected.Bytes} bytes, {expected.Digest}"),
                read.TryGetValue(expected.Name, out CapturedRows found) ? found.ToString() : "no such table");
        Check("number of tables", $"{target.Details.Tables.Count}", $"{tables.Count}");
    }

    private async Task CompareDefinitionsAsync(MySqlSession session, IReadOnlyList<CatalogueTable> tables, CancellationToken cancellation)
    {
        // What SHOW CREATE prints differs between versions; within one it must be the same, letter by letter.
        bool sameSeries = (session.Server with { Version = target.Details.ServerVersion }).Series == session.Server.Series;
        Definitions definitions = new(session, target.Names.Staging);
        IReadOnlyList<string> creates = await target.TablesAsync(cancellation);
        HashSet<string> there = [.. tables.Select(static t => t.Name)];
        for (int i = 0; i < creates.Count && sameSeries; i++)
        {
            string name = target.Details.Tables[i].Name;
            if (there.Contains(name))
                Check($"definition of table {name}", creates[i], Back(await definitions.TableAsync(name, cancellation)));
        }

        Dictionary<string, Definition> found = (await definitions.ObjectsAsync(cancellation)).ToDictionary(static o => $"{o.Kind} {o.Name}");
        IReadOnlyList<Definition> captured = await target.ObjectsAsync(cancellation);
        HashSet<string> over = [.. (await Events.OverAsync(session, captured, cancellation)).Select(static o => $"{o.Kind} {o.Name}")];
        foreach (Definition expected in captured)
        {
            string subject = $"{expected.Kind} {expected.Name}";
            if (over.Contains(subject) && !found.ContainsKey(subject))
                continue;
            over.Remove(subject);
            string made = found.TryGetValue(subject, out Definition? one) ? Text(one, target.Names.Staging) : "not there";
            Check(subject, sameSeries || one is null ? Text(expected, target.Details.Database) : "there", sameSeries || one is null ? Back(made) : "there");
        }

        Check("number of routines, views, triggers and events", $"{captured.Count - over.Count}", $"{found.Count}");
        string sequences = string.Join("; ", (await definitions.SequencesAsync(cancellation)).Select(static s => $"{s.Sequence.Name} {s.Sequence.Next}"));
        Check("sequences", string.Join("; ", target.Details.Sequences.Select(static s => $"{s.Name} {s.Next}")), sequences);
        Check("the database's character set, collation and comment", target.Details.DatabaseOptions, await definitions.DatabaseOptionsAsync(cancellation));
    }

    private string Back(string text) => StagedContent.Placed(text, target.Names.Staging, target.Details.Database);

    /// <summary>
    /// Staged events sleep, and views are not yet their definers'. MariaDB names the database of a view's columns only where its definer may not read them.
    /// </summary>
    private static string Text(Definition one, string database) => string.Join("\n", one.Kind switch
    {
        "event" => one.Statements.Select(Events.Asleep),
        "view" => one.Statements.Select(sql => StagedContent.AsOurs(sql).Replace(Definitions.Latin1(SqlText.Identifier(database)) + ".", "", StringComparison.Ordinal)),
        _ => one.Statements,
    });
}
