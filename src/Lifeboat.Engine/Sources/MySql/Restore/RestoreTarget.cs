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

    public string Folder => $"databases/{Captured.Name}";

    public Task<MySqlSession> OpenAsync(CancellationToken cancellation) => MySqlSession.OpenAsync(Context, Tools, Connection, cancellation);

    /// <summary>A session in the staged database.</summary>
    public async Task<MySqlSession> OpenStagingAsync(CancellationToken cancellation)
    {
        MySqlSession session = await OpenAsync(cancellation);
        try
        {
            // Nobody but the restore is there, and its own sessions wait for each other as long as their statements take.
            await session.ExecuteAsync("SET innodb_lock_wait_timeout = 86400, lock_wait_timeout = 86400", cancellation);
            if (session.Server.Variables.Contains("sql_generate_invisible_primary_key"))
                await session.ExecuteAsync("SET sql_generate_invisible_primary_key = 0, sql_require_primary_key = 0", cancellation);
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

    public async Task<IReadOnlyList<Account>> AccountsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<MySqlAccount> described = Details.Accounts ?? [];
        IReadOnlyList<string> all = await StatementsAsync("users.sql", described.Sum(static a => a.Statements), cancellation);
        int next = described.Count;
        List<Account> accounts = [];
        for (int i = 0; i < described.Count; i++)
        {
            MySqlAccount one = described[i];
            accounts.Add(new Account(one.User, one.Host, one.Role, Text(all[i]), [.. all.Skip(next).Take(one.Statements - 1).Select(Text)]));
            next += one.Statements - 1;
        }

        return accounts;
    }

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
