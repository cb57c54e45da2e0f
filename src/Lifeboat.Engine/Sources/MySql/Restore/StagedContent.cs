using System.Collections.Concurrent;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>Builds the staged database: tables, rows, keys, then everything that refers to them.</summary>
internal sealed class StagedContent(RestoreTarget target)
{
    private readonly List<DeferredTable> _tables = [];

    /// <summary>The empty database, its sequences, and its tables without what is built behind the rows.</summary>
    public async Task CreateAsync(CancellationToken cancellation)
    {
        await using (MySqlSession session = await target.OpenAsync(cancellation))
            await session.ExecuteAsync($"CREATE DATABASE {SqlText.Identifier(target.Names.Staging)} {target.Details.DatabaseOptions}", cancellation);
        await using MySqlSession staging = await target.OpenStagingAsync(cancellation);
        foreach (string create in await target.SequencesAsync(cancellation))
            await staging.ExecuteAsync(Bytes(create), cancellation);
        IReadOnlyList<string> creates = await target.TablesAsync(cancellation);
        for (int i = 0; i < creates.Count; i++)
        {
            _tables.Add(DeferredTable.Of(target.Details.Tables[i].Name, Placed(creates[i], target.Details.Database, target.Names.Staging)));
            await staging.ExecuteAsync(Bytes(_tables[i].Create), cancellation);
        }
    }

    public async Task LoadAsync(CancellationToken cancellation)
    {
        ConcurrentQueue<(int Table, string Path)> files = new(
            target.Captured.Tables!.Select(static (table, i) => (Table: table, Index: i)).OrderByDescending(static t => t.Table.Bytes)
                .SelectMany(static t => t.Table.Paths.Select(path => (t.Index, path))));
        await AllAsync(
            files.Count,
            async (session, token) =>
            {
                while (files.TryDequeue(out (int Table, string Path) file))
                    await LoadAsync(session, target.Details.Tables[file.Table], file.Path, token);
            },
            cancellation);
    }

    /// <summary>Keys over several sessions, then foreign keys, and where sequences stand.</summary>
    public async Task KeysAsync(CancellationToken cancellation)
    {
        ConcurrentQueue<DeferredTable> tables = new(_tables.Where(static t => t.Keys.Count > 0));
        await AllAsync(
            tables.Count,
            async (session, token) =>
            {
                while (tables.TryDequeue(out DeferredTable? table))
                {
                    foreach (string sql in table.Keys)
                        await session.ExecuteAsync(Bytes(sql), token);
                }
            },
            cancellation);
        await using MySqlSession staging = await target.OpenStagingAsync(cancellation);
        foreach (string sql in _tables.Select(static t => t.ForeignKeys).OfType<string>())
            await staging.ExecuteAsync(Bytes(sql), cancellation);
        foreach (MySqlSequence sequence in target.Details.Sequences)
            await staging.ExecuteAsync(CaptureScripts.SetValue(sequence), cancellation);
    }

    /// <summary>Routines, views, triggers and events in the staged database; events do not run there.</summary>
    public async Task ObjectsAsync(CancellationToken cancellation)
    {
        await using MySqlSession staging = await target.OpenStagingAsync(cancellation);
        await CreateAsync(staging, await target.ObjectsAsync(cancellation), target.Details.Database, target.Names.Staging, awake: false, cancellation);
    }

    /// <summary>Creates objects in the session's database.</summary>
    /// <param name="from">The database that their texts name.</param>
    /// <param name="awake">Whether events are to run that did.</param>
    public static async Task CreateAsync(
        MySqlSession session, IReadOnlyList<Definition> objects, string from, string to, bool awake, CancellationToken cancellation)
    {
        foreach (Definition one in objects)
        {
            foreach (string sql in one.Statements)
            {
                bool create = ReferenceEquals(sql, one.Create);
                string text = create && one.Kind == "view" ? Placed(sql, from, to) : create && one.Kind == "event" && !awake ? Events.Asleep(sql) : sql;
                await session.ExecuteAsync(Bytes(text), cancellation);
            }
        }

        await session.ExecuteAsync(Definitions.Reset, cancellation);
    }

    /// <summary>A text of the server's own making, with the names in it that are qualified by one database qualified by another.</summary>
    public static string Placed(string sql, string from, string to) => sql.Replace(
        Definitions.Latin1(SqlText.Identifier(from)) + ".", Definitions.Latin1(SqlText.Identifier(to)) + ".", StringComparison.Ordinal);

    private static byte[] Bytes(string latin1) => Encoding.Latin1.GetBytes(latin1);

    private async Task LoadAsync(MySqlSession session, MySqlTable table, string path, CancellationToken cancellation)
    {
        try
        {
            await session.ExecuteAsync("BEGIN", cancellation);
            await using (Stream rows = target.Snapshot.Open(path))
            {
                InsertStatements inserts = new(CatalogueTable.Insert(target.Names.Staging, table), [.. table.Columns.Select(static c => c.Form)]);
                await session.LoadAsync(rows, inserts, bytes => target.Context.Progress.Report(new BytesDone(target.Source, Phase.Stage, bytes)), cancellation);
            }

            await session.ExecuteAsync("COMMIT", cancellation);
        }
        catch (LifeboatException e) when (MySqlError.Of(e) is not null)
        {
            throw new LifeboatException(e.Code, $"loading table {table.Name} from {path}: {e.Problems[0].Message}", e.Hint, target.Source, e.InnerException);
        }
        catch (FormatException e)
        {
            throw new LifeboatException(ErrorCodes.BundleDamaged, $"loading table {table.Name}: {e.Message}", "use another snapshot; this one was altered or damaged", path, e);
        }
    }

    private Task AllAsync(int jobs, Func<MySqlSession, CancellationToken, Task> work, CancellationToken cancellation)
    {
        async Task OneAsync(CancellationToken token)
        {
            await using MySqlSession session = await target.OpenStagingAsync(token);
            await work(session, token);
        }

        return Together.RunAsync(cancellation, [.. Enumerable.Repeat<Func<CancellationToken, Task>>(OneAsync, Math.Min(target.Workers, jobs))]);
    }
}
