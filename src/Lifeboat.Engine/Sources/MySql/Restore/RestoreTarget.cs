using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>The server that is restored to, what is restored, and the way to both.</summary>
internal sealed record RestoreTarget(
    RunContext Context, MySqlConnection Connection, MySqlTools Tools, VerifiedSnapshot Snapshot, SourceMetadata Captured, MySqlDetails Details, RestoreNames Names)
{
    public string Source => Connection.Source;

    public int Workers => Context.Host.Workers;

    /// <summary>Whether the captured database has a table of that name, as its server told names apart.</summary>
    public bool HasTable(string name) => Details.Tables.Any(table => table.Name.Equals(
        name, Details.LowerCaseTableNames == 0 ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase));

    public string Folder => $"databases/{Captured.Name}";

    public Task<MySqlSession> OpenAsync(CancellationToken cancellation) => MySqlSession.OpenAsync(Context, Tools, Connection, cancellation);

    /// <summary>A session that makes tables and other objects.</summary>
    public async Task<MySqlSession> OpenForWritingAsync(CancellationToken cancellation)
    {
        MySqlSession session = await OpenAsync(cancellation);
        try
        {
            await session.PrepareToWriteAsync(cancellation);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>A session in the staged database.</summary>
    public async Task<MySqlSession> OpenStagingAsync(CancellationToken cancellation)
    {
        MySqlSession session = await OpenForWritingAsync(cancellation);
        try
        {
            // Nobody but the restore is there, and its own sessions wait for each other as long as their statements take.
            await session.ExecuteAsync("SET innodb_lock_wait_timeout = 86400, lock_wait_timeout = 86400", cancellation);
            if (Details.Tables.Any(static t => t.Versioned))
                await session.ExecuteAsync("SET system_versioning_insert_history = 1, system_versioning_alter_history = KEEP", cancellation);
            await session.ExecuteAsync($"USE {SqlText.Identifier(Names.Staging)}", cancellation);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>CREATE TABLE of each table, in the order of the details.</summary>
    public Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancellation) => StatementsAsync(
        "schema.sql", 1 + Details.Tables.Count, static all => Each(all.Skip(1), DumpStatements.RequireTable), cancellation);

    /// <summary>CREATE SEQUENCE of each sequence, in the order of the details.</summary>
    public Task<IReadOnlyList<string>> SequencesAsync(CancellationToken cancellation) => StatementsAsync(
        "sequences.sql", 1 + (2 * Details.Sequences.Count), static all => Each(all.Skip(1).Where(static (_, i) => i % 2 == 0), DumpStatements.RequireSequence), cancellation);

    public Task<IReadOnlyList<Definition>> ObjectsAsync(CancellationToken cancellation) => StatementsAsync(
        "objects.sql", 2 + Details.Objects.Sum(static o => o.Statements),
        all =>
        {
            int next = 1;
            List<Definition> objects = [];
            foreach (MySqlObject one in Details.Objects)
            {
                string[] statements = [.. all.Skip(next).Take(one.Statements)];
                DumpStatements.RequireObject(statements, dollarQuotes: Details.Family == "mysql", Snapshot.IsAuthentic);
                objects.Add(new Definition(one.Kind, one.Name, statements));
                next += one.Statements;
            }

            return objects;
        },
        cancellation);

    /// <summary>The captured accounts, with their rights in the database on the one that is restored.</summary>
    public async Task<IReadOnlyList<Account>> AccountsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<MySqlAccount> described = Details.Accounts ?? [];
        IReadOnlyList<string> all = await StatementsAsync("users.sql", described.Sum(static a => a.Statements), static all => Each(all, DumpStatements.RequireAccount), cancellation);
        IReadOnlyList<string> late = await GrantsAsync("grants.sql", described.Sum(static a => a.LateGrants), cancellation);
        IReadOnlyList<string> elsewhere = await GrantsAsync("grants-elsewhere.sql", described.Sum(static a => a.GrantsElsewhere), cancellation);
        (int next, int nextLate, int nextElsewhere) = (described.Count, 0, 0);
        List<Account> accounts = [];
        for (int i = 0; i < described.Count; i++)
        {
            MySqlAccount one = described[i];
            IEnumerable<string> grants =
                [.. all.Skip(next).Take(one.Statements - 1), .. late.Skip(nextLate).Take(one.LateGrants), .. elsewhere.Skip(nextElsewhere).Take(one.GrantsElsewhere)];
            accounts.Add(new Account(one.User, one.Host, one.Role, Text(all[i]), [.. grants.Select(Text).Select(GrantText.Normal)])
                .Placed(Details.Database, Names.Live));
            (next, nextLate, nextElsewhere) = (next + one.Statements - 1, nextLate + one.LateGrants, nextElsewhere + one.GrantsElsewhere);
        }

        return accounts;
    }

    /// <summary>Behind the mode that they are run in; older snapshots have none, and no such file.</summary>
    private async Task<IReadOnlyList<string>> GrantsAsync(string name, int count, CancellationToken cancellation) =>
        count == 0 ? [] : await StatementsAsync(name, 1 + count, static all => Each(all.Skip(1), DumpStatements.RequireAccount), cancellation);

    private static string[] Each(IEnumerable<string> statements, Action<string> require)
    {
        string[] all = [.. statements];
        foreach (string one in all)
            require(one);
        return all;
    }

    /// <summary>Looks at all of the snapshot's statements before any is run.</summary>
    /// <exception cref="LifeboatException">One is none of a dump's.</exception>
    public async Task RequireStatementsAsync(CancellationToken cancellation)
    {
        await TablesAsync(cancellation);
        await SequencesAsync(cancellation);
        await ObjectsAsync(cancellation);
        await AccountsAsync(cancellation);
        try
        {
            DumpStatements.RequireDatabaseOptions(Details.DatabaseOptions);
            foreach (MySqlSequence sequence in Details.Sequences)
                if (!long.TryParse(sequence.Next, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) && !ulong.TryParse(sequence.Next, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                    || !ulong.TryParse(sequence.Cycles, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                    throw new FormatException($"where sequence {sequence.Name} stands is no number");
        }
        catch (FormatException e)
        {
            throw NotADump(e, VerifiedSnapshot.MetadataFileName);
        }
    }

    private static LifeboatException NotADump(FormatException e, string path) => new(
        ErrorCodes.MySqlNotADump, $"a statement is not what the server prints: {e.Message}", "nothing of it was run; use another snapshot: somebody altered this one", path, e);

    private static string Text(string latin1) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(latin1));

    /// <param name="read">Looks at the statements.</param>
    private async Task<IReadOnlyList<T>> StatementsAsync<T>(string name, int count, Func<IReadOnlyList<string>, IReadOnlyList<T>> read, CancellationToken cancellation)
    {
        string path = $"{Folder}/{name}";
        using MemoryStream content = new();
        await using (Stream stream = Snapshot.OpenHeld(path))
            await stream.CopyToAsync(content, cancellation);
        IReadOnlyList<string> statements;
        try
        {
            statements = StatementFile.Read(content.GetBuffer().AsSpan(0, (int)content.Length));
            if (statements.Count != count)
                throw new FormatException($"it has {statements.Count} statements where {count} are described");
        }
        catch (FormatException e)
        {
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, $"the file cannot be read: {e.Message}", "use another snapshot; this one was altered or damaged", path, e);
        }

        try
        {
            return read(statements);
        }
        catch (FormatException e)
        {
            throw NotADump(e, path);
        }
    }
}
