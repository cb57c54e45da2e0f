using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>What stands under a table's name when it is locked and read is what the snapshot shows, or there is another cut, or no backup.</summary>
public sealed class PostgresCutTests(PostgresServer server) : IClassFixture<PostgresServer>, IDisposable
{
    /// <summary>What tells one state of the sample from another, and a mixture from both.</summary>
    private const string Invariants =
        """
        SELECT (SELECT count(*) FROM ren), (SELECT string_agg(x::text, ',' ORDER BY x) FROM a) || '|' || (SELECT string_agg(x::text, ',' ORDER BY x) FROM b),
          (SELECT count(*) FILTER (WHERE low < 100 AND high >= 100) FROM pair), (SELECT sum(v) FROM whole) + coalesce((SELECT sum(v) FROM aside), 0),
          (SELECT count(*) FROM one.t) || '|' || (SELECT count(*) FROM two.t)
        """;

    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Each is what somebody does in one transaction.</summary>
    public static TheoryData<string> Changes =>
    [
        "ALTER TABLE ren RENAME TO rx; CREATE TABLE ren (x int); INSERT INTO ren SELECT generate_series(1, 2000); DROP TABLE rx",
        "DROP TABLE ren; CREATE TABLE ren (x int); INSERT INTO ren SELECT generate_series(1, 2000)",
        "CREATE TABLE fresh AS SELECT x FROM ren; ALTER TABLE ren RENAME TO rx; ALTER TABLE fresh RENAME TO ren; DROP TABLE rx",
        "ALTER TABLE a RENAME TO tmp; ALTER TABLE b RENAME TO a; ALTER TABLE tmp RENAME TO b",
        "ALTER TABLE a RENAME TO tmp; ALTER TABLE b RENAME TO a; ALTER TABLE tmp RENAME TO b; INSERT INTO b SELECT 1000 WHERE false",
        "ALTER TABLE pair RENAME low TO tmp; ALTER TABLE pair RENAME high TO low; ALTER TABLE pair RENAME tmp TO high; UPDATE pair SET low = high, high = low",
        "ALTER TABLE pair ADD COLUMN more int DEFAULT 1; ALTER TABLE pair DROP COLUMN more",
        "ALTER TABLE pair ALTER COLUMN low TYPE bigint",
        "ALTER TABLE whole DETACH PARTITION whole_1; ALTER TABLE whole_1 RENAME TO aside_1; ALTER TABLE aside ATTACH PARTITION aside_1 FOR VALUES IN (1)",
        "TRUNCATE ren; INSERT INTO ren SELECT generate_series(1, 2000)",
        "ALTER SCHEMA one RENAME TO tmp; ALTER SCHEMA two RENAME TO one; ALTER SCHEMA tmp RENAME TO two; LOCK TABLE one.t IN ACCESS EXCLUSIVE MODE",
        "ALTER TABLE one.t SET SCHEMA public; ALTER TABLE two.t SET SCHEMA one; ALTER TABLE public.t SET SCHEMA two",
        "DROP TABLE ren; CREATE VIEW ren AS SELECT generate_series(1, 2000) AS x",
    ];

    public void Dispose() => _bench.Dispose();

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_table_that_is_replaced_or_altered_while_its_lock_is_waited_for_is_captured_in_a_state_that_existed(string change)
    {
        ArgumentNullException.ThrowIfNull(change);
        MakeSample("cut");
        server.Sql("postgres", "DROP DATABASE IF EXISTS expected; CREATE DATABASE expected TEMPLATE cut; DROP DATABASE IF EXISTS again");
        server.Sql("expected", $"BEGIN; {change}; COMMIT");
        await using PsqlSession other = await server.SessionAsync(_bench.Host.Context, "cut");
        await other.ExecuteAsync("SET search_path = public; BEGIN; " + change, Cancellation);
        PostgresSource source = Source("cut");
        Task<ICapture> opening = Task.Run(() => source.OpenAsync(Cancellation), Cancellation);
        await WaitForLockAsync("cut");
        await other.ExecuteAsync("COMMIT", Cancellation);

        await using VerifiedSnapshot snapshot = await WriteAsync(await opening);
        await _bench.RestoreAsync(snapshot, server, "again");

        Assert.Equal(server.Sql("expected", Invariants), server.Sql("again", Invariants));
        RestoreBench.AssertSameDump(server, "expected", server, "again");
    }

    [Fact]
    public async Task A_schema_that_is_renamed_before_its_tables_are_read_is_an_error()
    {
        MakeSample("renamed");
        await using ICapture capture = await Source("renamed").OpenAsync(Cancellation);
        server.Sql("renamed", "ALTER SCHEMA one RENAME TO three; ALTER SCHEMA two RENAME TO one");
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(_bench.Snapshot, Cancellation));
        Assert.Equal(ErrorCodes.PostgresObjectVanished, failed.Code);
        Assert.Contains("schema", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_whose_name_is_another_ones_while_its_table_is_read_is_an_error_although_it_is_its_own_again_afterwards()
    {
        MakeSample("exchanged");
        server.Sql("exchanged", "INSERT INTO one.t SELECT i FROM generate_series(1, 200000) i; INSERT INTO two.t SELECT i FROM generate_series(1, 200000) i");
        const string exchange = "ALTER SCHEMA one RENAME TO tmp; ALTER SCHEMA two RENAME TO one; ALTER SCHEMA tmp RENAME TO two";
        await using ICapture capture = await Source("exchanged").OpenAsync(Cancellation);
        server.Sql("exchanged", exchange);
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(
            new MeddlingWriter(static path => path.EndsWith("one.t.copy", StringComparison.Ordinal), () => server.Sql("exchanged", exchange)), Cancellation));
        Assert.Equal(ErrorCodes.PostgresObjectVanished, failed.Code);
    }

    [Fact]
    public async Task In_a_storm_of_such_changes_each_snapshot_is_of_one_state_or_an_error()
    {
        MakeSample("storm");
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task storm = Task.Run(() => Storm(enough.Token), Cancellation);
        int captured = 0;
        List<string> refused = [];
        try
        {
            for (int i = 0; i < 40 && captured < 4; i++)
            {
                using RestoreBench bench = new();
                try
                {
                    await using VerifiedSnapshot snapshot = await bench.CaptureAsync(server, "storm");
                    await bench.RestoreAsync(snapshot, server, $"calm {i}");
                    string[] found = server.Sql($"calm {i}", Invariants).Trim().Split('|');
                    Assert.Equal(("2000", "2000", "10"), (found[0], found[3], found[4]));
                    Assert.True(found[1..3] is ["1,2", "3,4,5"] or ["3,4,5", "1,2"], string.Join('|', found));
                    Assert.True(found[5..] is ["7", "9"] or ["9", "7"], string.Join('|', found));
                    captured++;
                }
                catch (LifeboatException e)
                {
                    Assert.True(e.Code == ErrorCodes.PostgresLockTimeout || e.Code == ErrorCodes.PostgresObjectVanished, e.ToString());
                    refused.Add(e.Message);
                }
            }
        }
        finally
        {
            await enough.CancelAsync();
            await storm;
        }

        Assert.True(captured > 0, "no backup came through: " + string.Join("; ", refused));
    }

    private PostgresSource Source(string database) => new(server.Settings(database), server.Bin, _bench.Host.Context, new NoSecrets());

    private async Task<VerifiedSnapshot> WriteAsync(ICapture capture)
    {
        await using (capture)
            return await _bench.Snapshot.FinishAsync(await capture.WriteAsync(_bench.Snapshot, Cancellation));
    }

    private void MakeSample(string database)
    {
        server.Sql("postgres", $"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
        server.Sql(
            database,
            """
            CREATE TABLE ren (x int); INSERT INTO ren SELECT generate_series(1, 2000);
            CREATE TABLE a (x int); INSERT INTO a VALUES (1), (2); CREATE TABLE b (x int); INSERT INTO b VALUES (3), (4), (5);
            CREATE TABLE pair (low int, high int); INSERT INTO pair SELECT i % 100, 100 + i FROM generate_series(1, 2000) i;
            CREATE TABLE whole (p int, v int) PARTITION BY LIST (p); CREATE TABLE aside (p int, v int) PARTITION BY LIST (p);
            CREATE TABLE whole_1 PARTITION OF whole FOR VALUES IN (1); CREATE TABLE whole_2 PARTITION OF whole FOR VALUES IN (2);
            INSERT INTO whole VALUES (1, 4), (2, 6); CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.t (x int); CREATE TABLE two.t (x int);
            INSERT INTO one.t SELECT generate_series(1, 7); INSERT INTO two.t SELECT generate_series(1, 9);
            """);
    }

    private void Storm(CancellationToken enough)
    {
        string detach = Changes.Select(static row => row.Data).Single(static sql => sql.Contains("DETACH", StringComparison.Ordinal));
        string attach = "ALTER TABLE aside DETACH PARTITION aside_1; ALTER TABLE aside_1 RENAME TO whole_1; ALTER TABLE whole ATTACH PARTITION whole_1 FOR VALUES IN (1)";
        string[] each = [.. Changes.Select(static row => row.Data)
            .Where(sql => sql != detach && !sql.Contains("VIEW", StringComparison.Ordinal) && !sql.Contains("TYPE bigint", StringComparison.Ordinal)), detach, attach];
        for (int i = 0; !enough.IsCancellationRequested; i++)
        {
            // Some hold their locks for a while, so that a backup begins within them.
            string wait = (0.02 * (i % 4)).ToString(CultureInfo.InvariantCulture);
            server.Sql("storm", $"SET client_min_messages = error; BEGIN; {each[i % each.Length]}; SELECT pg_sleep({wait}); COMMIT");
        }
    }

    private async Task WaitForLockAsync(string database)
    {
        while (server.Sql("postgres", $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'").Trim() == "0")
            await Task.Delay(50, Cancellation);
    }
}
