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
    public async Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancellation) =>
        [.. (await StatementsAsync("schema.sql", 1 + Details.Tables.Count, cancellation)).Skip(1)];

    /// <summary>CREATE SEQUENCE of each sequence, in the order of the details.</summary>
    public async Task<IReadOnlyList<string>> SequencesAsync(CancellationToken cancellation) =>
        [.. (await StatementsAsync("sequences.sql", 1 + (2 * Details.Sequences.Count), cancellation)).Skip(1).Where(static (_, i) => i % 2 == 0)];

    public async Task<IReadOnlyList<Definition>> ObjectsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<string> all = await StatementsAsync("objects.sql", 2 + Details.Objects.Sum(static o => o.Statements), cancellation);
        int next = 1;
        List<Definition> objects = [];
        foreach (MySqlObject one in Details.Objects)
        {
            objects.Add(new Definition(one.Kind, one.Name, [.. all.Skip(next).Take(one.Statements)]));
            next += one.Statements;
        }

        return objects;
    }

    /// <summary>The captured accounts, with their rights in the database on the one that is restored.</summary>
    public async Task<IReadOnlyList<Account>> AccountsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<MySqlAccount> described = Details.Accounts ?? [];
        IReadOnlyList<string> all = await StatementsAsync("users.sql", described.Sum(static a => a.Statements), cancellation);
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
        count == 0 ? [] : [.. (await StatementsAsync(name, 1 + count, cancellation)).Skip(1)];

    private static string Text(string latin1) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(latin1));

    private async Task<IReadOnlyList<string>> StatementsAsync(string name, int count, CancellationToken cancellation)
    {
        string path = $"{Folder}/{name}";
        using MemoryStream content = new();
        await using (Stream stream = Snapshot.Open(path))
            await stream.CopyToAsync(content, cancellation);
        try
        {
            IReadOnlyList<string> statements = StatementFile.Read(content.GetBuffer().AsSpan(0, (int)content.Length));
            return statements.Count == count ? statements : throw new FormatException($"it has {statements.Count} statements where {count} are described");
        }
        catch (FormatException e)
        {
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, $"the file cannot be read: {e.Message}", "use another snapshot; this one was altered or damaged", path, e);
        }
    }
}
