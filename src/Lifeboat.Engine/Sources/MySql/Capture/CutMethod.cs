using Lifeboat.Engine.Sources.MySql.Sessions;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>How several sessions come to see one moment of a server.</summary>
internal enum CutKind
{
    /// <summary>Not at all: one session reads all.</summary>
    Alone,

    /// <summary>While nobody can write.</summary>
    WritesHeld,

    /// <summary>The same, asked for only at a moment when no statement runs.</summary>
    WritesHeldWhenQuiet,

    /// <summary>The server's count of committed transactions is the same before the first session's snapshot and behind the last one's.</summary>
    SameTransactions,
}

/// <summary>What a server and the account's rights allow.</summary>
/// <param name="Why">Why it is one session only.</param>
/// <param name="Hint">What to do about that.</param>
/// <param name="Status">MySQL's statement that tells the binary log's end; null where it may not be asked.</param>
internal sealed record CutMethod(CutKind Kind, string Why = "", string Hint = "", string? Status = null)
{
    /// <summary>
    /// MySQL's FLUSH TABLES WITH READ LOCK makes every later statement on a table wait for those that use it at that time, even where the FLUSH itself is given
    /// up: beside a long query it would stop the application. Its LOCK TABLES ends transactions of others by deadlocks. So neither is used where GTIDs can tell.
    /// </summary>
    public static async Task<CutMethod> ChooseAsync(MySqlSession session, CaptureRights rights, CancellationToken cancellation)
    {
        const string MayNot = "the account may not hold up writes for a moment (RELOAD)";
        if (session.Server.FlushLeavesNothingBehind)
            return rights.MayLock ? new(CutKind.WritesHeld) : new(CutKind.Alone, MayNot, "grant RELOAD to the account, and reading uses all cores");
        string? status = null;
        foreach (string sql in (string[])["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"])
            status ??= await session.CanAsync([sql], cancellation) ? sql : null;
        string?[] has = (await session.SelectAsync(["@@GLOBAL.gtid_mode", "@@GLOBAL.log_bin", "@@GLOBAL.performance_schema"], "", cancellation))[0];
        if (has is ["ON", "1", "1"])
            return status is not null && await session.CanAsync([$"SELECT {Unlogged}"], cancellation) ? new(CutKind.SameTransactions, Status: status) : new(
                CutKind.Alone, "the account may not see the binary log's end, and who writes past it (REPLICATION CLIENT, SELECT ON performance_schema.*)",
                "GRANT REPLICATION CLIENT ON *.* and SELECT ON performance_schema.* to the account, and reading uses all cores");
        return rights.MayLock && rights.HasGlobal("PROCESS") ? new(CutKind.WritesHeldWhenQuiet, Status: status) : new(
            CutKind.Alone, "the server has no GTIDs, and the account may not hold up writes at a quiet moment (RELOAD, PROCESS)",
            "set gtid_mode = ON on the server, or grant RELOAD and PROCESS to the account, and reading uses all cores");
    }

    /// <summary>An expression that counts sessions whose writes have no GTID.</summary>
    public const string Unlogged =
        "(SELECT COUNT(*) FROM performance_schema.variables_by_thread WHERE VARIABLE_NAME = 'sql_log_bin' AND VARIABLE_VALUE = 'OFF')";
}
