using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Renames databases: the live one aside, the staged one into its place, and back. Settings, grants and statistics belong to a database's
/// object id, so they follow it. A database can only be renamed while nobody is connected, so connections are refused and ended first.
/// </summary>
/// <param name="open">Opens a session with a database that is none of the three.</param>
/// <param name="openStaging">Opens a session with the staged one.</param>
internal sealed class DatabaseSwitch(
    StagingNames names, Func<CancellationToken, Task<PsqlSession>> open, Func<CancellationToken, Task<PsqlSession>> openStaging, TimeProvider time)
{
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether the live database let anybody connect before it was moved aside.</summary>
    private bool _liveWasOpen = true;

    /// <summary>Staged becomes live, live becomes kept. Does nothing where that has happened.</summary>
    /// <param name="stagedOid">The staged database's object id.</param>
    /// <exception cref="LifeboatException">It could not be; everything has its old name again (or the message says what has not).</exception>
    public async Task ForwardAsync(string stagedOid, CancellationToken cancellation)
    {
        await using PsqlSession session = await open(cancellation);
        IReadOnlyDictionary<string, string> there = await DatabasesAsync(session, cancellation);
        if (there.GetValueOrDefault(names.Live) == stagedOid)
            return;
        bool replaces = there.ContainsKey(names.Live);
        if (replaces)
            _liveWasOpen = await AllowsConnectionsAsync(session, names.Live, cancellation);
        try
        {
            await DrainAsync(session, names.Staging, cancellation);
            if (replaces)
            {
                await DrainAsync(session, names.Live, cancellation);
                await session.ExecuteAsync(Rename(names.Live, names.Before), cancellation);
            }

            await session.ExecuteAsync(Rename(names.Staging, names.Live), cancellation);
            await session.ExecuteAsync(Allow(names.Live, true), cancellation);
        }
        catch (Exception e) when (e is LifeboatException or OperationCanceledException)
        {
            session.Kill();
            await RepairAsync(stagedOid, there.GetValueOrDefault(names.Live), e);
            throw;
        }

        // Whoever looks for something in the replaced database can connect to it by its new name; no application knows that name. What
        // would act by itself is the exception: a subscription would go on taking changes away from the restored one.
        if (replaces && _liveWasOpen && !await HasSubscriptionsAsync(session, names.Before, cancellation))
            await session.ExecuteAsync(Allow(names.Before, true), cancellation);
    }

    /// <summary>The inverse: the staged database has its staging name again, the one that was live is live. Does nothing where that is so.</summary>
    public async Task BackAsync(string stagedOid, CancellationToken cancellation)
    {
        await using PsqlSession session = await open(cancellation);
        IReadOnlyDictionary<string, string> there = await DatabasesAsync(session, cancellation);
        if (there.GetValueOrDefault(names.Live) == stagedOid)
        {
            await DrainAsync(session, names.Live, cancellation);
            await session.ExecuteAsync(Rename(names.Live, names.Staging), cancellation);
            there = await DatabasesAsync(session, cancellation);
        }

        if (!there.ContainsKey(names.Live) && there.ContainsKey(names.Before))
        {
            await DrainAsync(session, names.Before, cancellation);
            await session.ExecuteAsync(Rename(names.Before, names.Live), cancellation);
            await session.ExecuteAsync(Allow(names.Live, _liveWasOpen), cancellation);
        }
    }

    /// <summary>Drops the staged database, whoever is connected to it; never one of another name.</summary>
    public async Task DropStagingAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (!(await DatabasesAsync(session, cancellation)).ContainsKey(names.Staging))
            return;
        await DropSubscriptionsAsync(session, cancellation);
        await session.ExecuteAsync($"ALTER DATABASE {SqlText.Identifier(names.Staging)} WITH IS_TEMPLATE false", cancellation);
        if (session.ServerMajor >= 13)
        {
            await session.ExecuteAsync($"DROP DATABASE {SqlText.Identifier(names.Staging)} WITH (FORCE)", cancellation);
            return;
        }

        await DrainAsync(session, names.Staging, cancellation);
        await session.ExecuteAsync($"DROP DATABASE {SqlText.Identifier(names.Staging)}", cancellation);
    }

    /// <summary>Object ids by name, of those of the three that are there.</summary>
    public async Task<IReadOnlyDictionary<string, string>> DatabasesAsync(PsqlSession session, CancellationToken cancellation)
    {
        string list = string.Join(", ", new[] { names.Live, names.Staging, names.Before }.Select(SqlText.Literal));
        IReadOnlyList<string?[]> rows = await session.QueryAsync($"SELECT datname, oid FROM pg_catalog.pg_database WHERE datname IN ({list})", cancellation);
        return rows.ToDictionary(static row => row[0]!, static row => row[1]!);
    }

    private static string Rename(string from, string to) => $"ALTER DATABASE {SqlText.Identifier(from)} RENAME TO {SqlText.Identifier(to)}";

    private static string Allow(string database, bool connections) =>
        $"ALTER DATABASE {SqlText.Identifier(database)} WITH ALLOW_CONNECTIONS {(connections ? "true" : "false")}";

    private static async Task<bool> AllowsConnectionsAsync(PsqlSession session, string database, CancellationToken cancellation) =>
        await session.QueryOneAsync($"SELECT datallowconn FROM pg_catalog.pg_database WHERE datname = {SqlText.Literal(database)}", cancellation) == "t";

    private static async Task<bool> HasSubscriptionsAsync(PsqlSession session, string database, CancellationToken cancellation) =>
        (await SubscriptionsAsync(session, database, cancellation)).Any(static row => row[1] == "t");

    /// <summary>Name, and whether it is enabled, of a database's subscriptions.</summary>
    private static Task<IReadOnlyList<string?[]>> SubscriptionsAsync(PsqlSession session, string database, CancellationToken cancellation) => session.QueryAsync(
        $"""
        SELECT s.subname, s.subenabled FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
        WHERE d.datname = {SqlText.Literal(database)}
        """,
        cancellation);

    /// <summary>
    /// A database cannot be dropped while it has subscriptions. Restored ones name the captured database's slots at the publisher, which are not ours to
    /// drop: each is parted from its slot first.
    /// </summary>
    private async Task DropSubscriptionsAsync(PsqlSession session, CancellationToken cancellation)
    {
        string[] subscriptions = [.. (await SubscriptionsAsync(session, names.Staging, cancellation)).Select(static row => SqlText.Identifier(row[0]!))];
        if (subscriptions.Length == 0)
            return;
        await session.ExecuteAsync(Allow(names.Staging, true), cancellation);
        await using PsqlSession staging = await openStaging(cancellation);
        await new EventTriggers().DisableAsync(staging, cancellation);
        foreach (string name in subscriptions)
        {
            await staging.ExecuteAsync($"ALTER SUBSCRIPTION {name} DISABLE", cancellation);
            await staging.ExecuteAsync($"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)", cancellation);
            await staging.ExecuteAsync($"DROP SUBSCRIPTION {name}", cancellation);
        }
    }

    /// <summary>Lets nobody connect any more, and ends who is connected.</summary>
    private async Task DrainAsync(PsqlSession session, string database, CancellationToken cancellation)
    {
        await session.ExecuteAsync(Allow(database, false), cancellation);
        // Autovacuum's workers are not asked to go (not everybody may), nor waited for: a large table keeps one busy for long, and renaming a database ends it
        // by itself (CountOtherDBBackends in procarray.c).
        string where = $"WHERE datname = {SqlText.Literal(database)} AND pid <> pg_catalog.pg_backend_pid() AND backend_type <> 'autovacuum worker'";
        long started = time.GetTimestamp();
        while (true)
        {
            await session.QueryAsync($"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity {where}", cancellation);
            string left = await session.QueryOneAsync($"SELECT count(*) FROM pg_catalog.pg_stat_activity {where}", cancellation) ?? "0";
            if (left == "0")
                return;
            if (time.GetElapsedTime(started) > LongestDrain)
                throw new LifeboatException(
                    ErrorCodes.PostgresDatabaseInUse,
                    string.Create(CultureInfo.InvariantCulture, $"{left} connections to database {database} did not end within {LongestDrain.TotalSeconds:0} seconds"),
                    "stop the application, then run the restore again", session.Connection.Source);
            await Task.Delay(BetweenLooks, time, cancellation);
        }
    }

    /// <summary>After a failed switch: gives the live database its name back and lets its users in again.</summary>
    private async Task RepairAsync(string stagedOid, string? liveOid, Exception cause)
    {
        try
        {
            await BackAsync(stagedOid, CancellationToken.None);
            if (liveOid is null)
                return;
            await using PsqlSession session = await open(CancellationToken.None);
            await session.ExecuteAsync(Allow(names.Live, _liveWasOpen), CancellationToken.None);
        }
        catch (LifeboatException e)
        {
            throw new LifeboatException(
                ErrorCodes.PostgresSwitchFailed,
                $"the switch of database {names.Live} failed ({cause.Message}), and so did undoing it: {e.Message}",
                $"when the server answers again, see which databases there are: if {names.Live} is missing, run {Rename(names.Before, names.Live)}; "
                + $"then run {Allow(names.Live, true)}",
                inner: e);
        }
    }
}
