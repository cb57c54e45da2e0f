using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Knows whether anything was written to the staged tables since they were verified. Servers of MySQL and MariaDB let nobody be kept out of a database whom rights
/// on the whole server, or on a pattern that its name fits, let in. But they keep the time of each table's making and of its last change, in seconds.
/// </summary>
internal sealed class StagedWatch
{
    /// <summary>Enough for a second to be over. Who writes all the time is found at the switch.</summary>
    private const int MostLooks = 30;

    /// <summary>Which writes its last rows to the file when they are first read, and takes both times from that file.</summary>
    private const string WrittenByReading = "ENGINE <=> 'ARCHIVE'";

    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromMilliseconds(100);

    private readonly RestoreTarget _target;
    private IReadOnlyDictionary<string, string> _tables = new Dictionary<string, string>();
    private string _until = "";

    private StagedWatch(RestoreTarget target) => _target = target;

    /// <summary>Begins to watch, as soon as the second is over in which the last of the restore's own changes was made.</summary>
    public static async Task<StagedWatch> BeginAsync(RestoreTarget target, MySqlSession session, CancellationToken cancellation)
    {
        StagedWatch watch = new(target);
        await watch.LookAgainAsync(session, cancellation);
        return watch;
    }

    /// <summary>Takes what is there now for what shall be switched in.</summary>
    public async Task LookAgainAsync(MySqlSession session, CancellationToken cancellation)
    {
        _until = await session.SelectOneAsync("NOW()", "", cancellation) ?? "";
        for (int look = 0; look < MostLooks && await session.SelectOneAsync("NOW()", "", cancellation) == _until; look++)
            await Task.Delay(s_betweenLooks, _target.Context.Host.Time, cancellation);
        _tables = (await TablesAsync(session, cancellation)).ToDictionary(static table => table.Name, static table => table.Kind, StringComparer.Ordinal);
    }

    /// <summary>
    /// Tables that are not what they were: made or written to since, or not there before. A time that the server has forgotten since (it keeps those of the tables that
    /// it has in its cache) tells nothing. That a time is another one than before does not either: MariaDB takes the time of a table's making from its definition file
    /// when it opens it, and may have opened it before it gave that file its name.
    /// </summary>
    public async Task<IReadOnlyList<string>> ChangedAsync(MySqlSession session, CancellationToken cancellation)
    {
        List<StagedTable> now = await TablesAsync(session, cancellation);
        IEnumerable<string> changed = now.Where(table => _tables.GetValueOrDefault(table.Name) != table.Kind || IsLater(table.Made) || IsLater(table.Written))
            .Select(static table => table.Name);
        return [.. changed.Union(_tables.Keys.Except(now.Select(static table => table.Name))).Order(StringComparer.Ordinal)];
    }

    /// <exception cref="LifeboatException">Something was written, so that what was verified is not what would be switched in.</exception>
    public async Task RequireUnchangedAsync(MySqlSession session, CancellationToken cancellation)
    {
        if (await ChangedAsync(session, cancellation) is { Count: > 0 } changed)
            throw new LifeboatException(
                ErrorCodes.MySqlStagedChanged,
                $"{changed.Count} table(s) of {_target.Names.Staging} were changed after they were verified, and are not switched in: {string.Join(", ", changed.Take(20))}",
                "see which application or hook writes to databases with that name (SHOW PROCESSLIST, the general log), take its rights on them or stop it, and restore again",
                _target.Source);
    }

    /// <summary>As the server writes times: their order is that of their texts.</summary>
    private bool IsLater(string? time) => string.CompareOrdinal(time, _until) > 0;

    private async Task<List<StagedTable>> TablesAsync(MySqlSession session, CancellationToken cancellation) =>
    [
        .. (await session.SelectAsync(
            ["TABLE_NAME", "CONCAT_WS(' ', TABLE_TYPE, ENGINE)", $"IF({WrittenByReading}, NULL, CREATE_TIME)", $"IF({WrittenByReading}, NULL, UPDATE_TIME)"],
            $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(_target.Names.Staging)}", cancellation))
            .Select(static row => new StagedTable(row[0]!, row[1] ?? "", row[2], row[3])),
    ];

    private sealed record StagedTable(string Name, string Kind, string? Made, string? Written);
}
