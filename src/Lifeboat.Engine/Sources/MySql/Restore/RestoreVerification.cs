using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>Reads the staged database back and compares all of it with what was captured.</summary>
/// <param name="accounts">Accounts that the restore made must be as captured, while others are none of its business.</param>
internal sealed class RestoreVerification(RestoreTarget target, AccountPlan accounts, TableReadBack readBack)
{
    private readonly List<VerifyCheck> _checks = [];

    public async Task<VerifyReport> RunAsync(CancellationToken cancellation)
    {
        await using MySqlSession session = await target.OpenStagingAsync(cancellation);
        IReadOnlyList<CatalogueTable> tables = await TableCatalogue.ReadAsync(session, target.Names.Staging, cancellation);
        await CompareRowsAsync(session, tables, cancellation);
        await CompareDefinitionsAsync(session, tables, cancellation);
        foreach (Account account in accounts.Create)
        {
            Account there = await AccountReader.ReadAsync(session, account.User, account.Host, account.IsPlainRole, cancellation);
            bool same = account.Identified == there.Identified && account.Options == there.Options;
            Check($"account {account.Name}", same ? "as captured" : "its options and password as captured", same ? "as captured" : "others");
            // Those on single tables and routines are given, and compared, when these are in place.
            Check($"grants of {account.Name}", Listed(account.Grants.Where(static g => !GrantText.IsLate(g))), Listed(there.Grants.Where(static g => !GrantText.IsLate(g))));
        }

        LoginOrder order = new(accounts.Logins.Count == 0 ? [] : await LoginOrder.ReadAsync(session, cancellation));
        foreach (Problem shadowed in LoginOrder.Shadowed(accounts.Logins
            .Select(login => login with { Reached = order.Reached(login.User, login.From) }).Where(login => !accounts.Logins.Contains(login))))
            target.Context.Progress.Report(new Warned(target.Source, shadowed with { Where = target.Source }));
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
        DefinitionComparison comparison = new(target, session);
        Definitions definitions = new(session, target.Names.Staging);
        IReadOnlyList<string> creates = await target.TablesAsync(cancellation);
        Dictionary<string, CatalogueTable> there = tables.ToDictionary(static table => table.Name);
        for (int i = 0; i < creates.Count; i++)
        {
            if (there.TryGetValue(target.Details.Tables[i].Name, out CatalogueTable? table))
                _checks.Add(await comparison.TableAsync(table.Name, creates[i], table.OwnsRows, cancellation));
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
            _checks.Add(await comparison.ObjectAsync(expected, found.GetValueOrDefault(subject), cancellation));
        }

        Check("number of routines, views, triggers and events", $"{captured.Count - over.Count}", $"{found.Count}");
        string sequences = string.Join("; ", (await definitions.SequencesAsync(cancellation)).Select(static s => $"{s.Sequence.Name} {s.Sequence.Next}"));
        Check("sequences", string.Join("; ", target.Details.Sequences.Select(static s => $"{s.Name} {s.Next}")), sequences);
        Check("the database's character set, collation and comment", target.Details.DatabaseOptions, await definitions.DatabaseOptionsAsync(cancellation));
    }
}
