using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.MySql;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>One moment over several sessions, whatever else the server does; what account it takes; and changes of the schema around it.</summary>
public abstract class CutTests(MariaDbServer server)
{
    /// <summary>What runs for long while a backup is made.</summary>
    private static readonly string[] s_long =
    [
        "SELECT 'long', SLEEP(600) FROM item", "BEGIN; UPDATE item SET label = 'x' WHERE id = 1; SELECT 'long', SLEEP(600)", "UPDATE item SET label = CONCAT('long', SLEEP(600))",
        "CREATE TABLE made AS SELECT 'long', SLEEP(600) FROM item",
    ];

    /// <summary>Longer than the slowest machine takes for a small statement, and shorter than what runs beside.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(40);

    protected MariaDbServer Server => server;

    private protected BusyServer Busy { get; } = new(server);

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Those of the long statements beside which one session reads all.</summary>
    protected abstract IReadOnlyList<int> Alone { get; }

    /// <summary>Those beside which there is no backup: a table that is being made stands in the catalogue, and cannot be looked at.</summary>
    protected virtual IReadOnlyList<int> Refused => [];

    /// <summary>What an account needs beside its rights on the database: to see all routines, and to read with several sessions.</summary>
    protected abstract (string Routines, string Workers) Grants { get; }

    protected abstract MySqlSettings Settings(string database);

    /// <summary>How many transactions a GTID set counts.</summary>
    protected abstract int Transactions(string gtid);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_runs_for_long_is_not_waited_for_and_nobody_waits_for_it_because_of_the_backup(int statement)
    {
        Busy.Fill("busy");
        (string id, Task running) = await Busy.BlockAsync("busy", s_long[statement]);
        try
        {
            using MySqlBench bench = new();
            Task<VerifiedSnapshot> capturing = bench.CaptureAsync(Settings("busy"));
            if (Refused.Contains(statement))
                Assert.Equal(ErrorCodes.MySqlLockTimeout, (await Assert.ThrowsAsync<LifeboatException>(() => capturing)).Code);
            else
                await capturing;
            Assert.Equal(Alone.Contains(statement) ? [ErrorCodes.MySqlOneWorker] : [], bench.Host.Warnings.Select(static w => w.Code));
            string counted = await Task.Run(() => server.Sql("SELECT COUNT(*) FROM item", "busy"), Cancellation).WaitAsync(s_bound, Cancellation);
            Assert.Equal("500\n", counted);
            await Task.Run(() => server.Sql("UPDATE item SET label = 'zzz' WHERE id = 400", "busy"), Cancellation).WaitAsync(s_bound, Cancellation);
            Assert.False(running.IsCompleted);
        }
        finally
        {
            server.Sql($"KILL {id}");
            await running;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task All_workers_see_one_moment_while_the_application_writes_and_its_position_is_that_of_the_rows(int workers)
    {
        string before = "";
        await Busy.WriteBesideAsync(() => before = GtidNow(), async () =>
        {
            for (int round = 0; round < 3; round++)
            {
                using MySqlBench bench = new(workers);
                (int rows, MySqlDetails details) = await BusyServer.CaptureBankAsync(bench, Settings("bank"));
                Assert.Empty(bench.Host.Warnings);
                Assert.Equal(rows, Transactions(details.Gtid!) - Transactions(before));
                Assert.Equal(rows, Busy.Written(details.BinlogPosition!));
            }
        });
    }

    [Fact]
    public async Task Too_few_rights_are_named_and_some_are_only_warned_about()
    {
        Busy.Fill("rights");
        server.Sql("DROP USER IF EXISTS few@'%'; CREATE USER few@'%' IDENTIFIED BY 'x'; GRANT SELECT ON rights.item TO few@'%'");
        GivenSecrets secrets = new(("PW", "x"));
        MySqlSettings settings = server.PasswordSettings("rights", "few");
        using MySqlBench bench = new();
        Problem problem = (await bench.Source(settings, secrets).CheckAsync(Cancellation))[1];
        Assert.Equal(ErrorCodes.MySqlPermissionDenied, problem.Code);
        Assert.Contains("SELECT, SHOW VIEW, TRIGGER, EVENT", problem.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<LifeboatException>(() => bench.Source(settings, secrets).OpenAsync(Cancellation));

        server.Sql("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON rights.* TO few@'%'");
        LifeboatException hidden = await Assert.ThrowsAsync<LifeboatException>(() => bench.CaptureAsync(settings, secrets));
        Assert.Contains("routine", hidden.Message, StringComparison.Ordinal);
        server.Sql("GRANT EXECUTE ON rights.* TO few@'%'");
        hidden = await Assert.ThrowsAsync<LifeboatException>(() => bench.CaptureAsync(settings, secrets));
        Assert.Contains("definition of procedure total", hidden.Message, StringComparison.Ordinal);
        server.Sql(Grants.Routines);
        Assert.Equal([ErrorCodes.MySqlOneWorker, ErrorCodes.MySqlAccountsLeftOut], await WarningsAsync(settings, secrets));
        server.Sql(Grants.Workers);
        Assert.Equal([ErrorCodes.MySqlAccountsLeftOut], await WarningsAsync(settings, secrets));
        server.Sql("GRANT SELECT ON mysql.* TO few@'%'");
        Assert.Equal([], await WarningsAsync(settings, secrets));
    }

    [Fact]
    public async Task Tables_without_transactions_are_named()
    {
        Busy.Fill("loose");
        server.Sql("CREATE TABLE my (a INT PRIMARY KEY) ENGINE=MyISAM; CREATE TABLE mem (a INT PRIMARY KEY) ENGINE=MEMORY; INSERT INTO my VALUES (1); INSERT INTO mem VALUES (2)", "loose");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("loose"));
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.MySqlNotTransactional, warning.Code);
        Assert.Contains("2 table(s)", warning.Message, StringComparison.Ordinal);
        Assert.Contains("mem (MEMORY), my (MyISAM)", warning.Message, StringComparison.Ordinal);
        await bench.RestoreAsync(snapshot, Settings("loose_ours"));
        Assert.Equal(server.Dump("loose"), server.Dump("loose_ours"));
        server.Sql("DROP DATABASE loose_ours");
    }

    [Theory]
    [InlineData("CREATE TABLE more (a INT PRIMARY KEY); INSERT INTO more VALUES (1)")]
    [InlineData("DROP TABLE other")]
    [InlineData("RENAME TABLE item TO old, other TO item")]
    [InlineData("RENAME TABLE item TO old, other TO item, old TO other")]
    [InlineData("ALTER TABLE item ADD COLUMN more INT")]
    public async Task A_schema_that_is_changed_while_the_cut_is_opened_is_asked_for_again(string change)
    {
        Busy.Fill("changing");
        await NextSecondAsync();
        using MySqlBench bench = new();
        int cuts = 0;
        MySqlSource source = new(Settings("changing"), null, bench.Host.Context, new NoSecrets())
        {
            AfterCut = _ =>
            {
                if (++cuts == 1)
                    server.Sql(change, "changing");
                return Task.CompletedTask;
            },
        };
        VerifiedSnapshot snapshot = await bench.CaptureAsync(source);
        Assert.Equal(2, cuts);
        await bench.RestoreAsync(snapshot, Settings("changed"));
        Assert.Equal(server.Dump("changing"), server.Dump("changed"));
        server.Sql("DROP DATABASE changed");
    }

    [Fact]
    public async Task A_schema_that_is_changed_again_and_again_is_no_backup()
    {
        Busy.Fill("restless");
        using MySqlBench bench = new();
        int cuts = 0;
        MySqlSource source = new(Settings("restless"), null, bench.Host.Context, new NoSecrets())
        {
            AfterCut = _ =>
            {
                server.Sql($"CREATE TABLE more{++cuts} (a INT)", "restless");
                return Task.CompletedTask;
            },
        };
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => source.OpenAsync(Cancellation));
        Assert.Equal(ErrorCodes.MySqlSchemaChanged, failed.Code);
        Assert.Equal(3, cuts);
    }

    /// <summary>The server itself would give rows for some of these: of another table, or of the partitions that are left.</summary>
    [Theory]
    [InlineData("DROP TABLE item")]
    [InlineData("RENAME TABLE item TO old, other TO item")]
    [InlineData("ALTER TABLE item DROP PARTITION low")]
    [InlineData("TRUNCATE TABLE item")]
    [InlineData("ALTER TABLE item DROP COLUMN label")]
    public async Task A_table_that_is_replaced_before_its_rows_were_read_is_no_backup(string change)
    {
        Busy.Fill("replaced");
        server.Sql("ALTER TABLE item PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (100), PARTITION high VALUES LESS THAN MAXVALUE)", "replaced");
        await NextSecondAsync();
        using MySqlBench bench = new();
        await using ICapture capture = await bench.Source(Settings("replaced")).OpenAsync(Cancellation);
        server.Sql(change, "replaced");
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(bench.Snapshot, Cancellation));
        Assert.Equal(ErrorCodes.MySqlSchemaChanged, failed.Code);
    }

    /// <summary>Of tables that were made in the same second.</summary>
    [Theory]
    [InlineData("RENAME TABLE first TO tmp, second TO first, tmp TO second")]
    [InlineData("ALTER TABLE `whole one` EXCHANGE PARTITION low WITH TABLE first")]
    [InlineData("RENAME TABLE first TO tmp; CREATE TABLE first LIKE tmp; INSERT INTO first SELECT * FROM tmp; DROP TABLE tmp")]
    [InlineData("ALTER TABLE `whole one` TRUNCATE PARTITION low")]
    public async Task An_exchange_of_names_or_of_a_partition_before_rows_were_read_is_no_backup(string change)
    {
        const string tables =
            """
            DROP DATABASE IF EXISTS `ex-changed`; CREATE DATABASE `ex-changed`; USE `ex-changed`;
            CREATE TABLE first (id INT PRIMARY KEY, v INT); CREATE TABLE second LIKE first;
            CREATE TABLE `whole one` (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (100), PARTITION high VALUES LESS THAN MAXVALUE);
            INSERT INTO first VALUES (1, 1); INSERT INTO second VALUES (2, 2), (3, 2); INSERT INTO `whole one` VALUES (4, 3), (500, 3);
            """;
        server.Sql(tables);
        using MySqlBench bench = new();
        await using ICapture capture = await bench.Source(Settings("ex-changed")).OpenAsync(Cancellation);
        server.Sql(change, "ex-changed");
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(bench.Snapshot, Cancellation));
        Assert.Equal(ErrorCodes.MySqlSchemaChanged, failed.Code);
    }

    protected async Task<IEnumerable<ErrorCode>> WarningsAsync(MySqlSettings settings, GivenSecrets secrets)
    {
        using MySqlBench bench = new();
        IReadOnlyList<Problem> checks = await bench.Source(settings, secrets).CheckAsync(Cancellation);
        await bench.CaptureAsync(settings, secrets);
        ErrorCode[] codes = [.. bench.Host.Warnings.Select(static w => w.Code).OrderBy(static c => c.Id, StringComparer.Ordinal)];
        Assert.Equal(codes, checks.Select(static w => w.Code).OrderBy(static c => c.Id, StringComparer.Ordinal));
        return codes;
    }

    protected abstract string GtidNow();

    /// <summary>The server tells when a table was made in whole seconds.</summary>
    private Task<string> NextSecondAsync() => Task.Run(() => server.Sql("DO SLEEP(1.1)"), Cancellation);
}

public sealed class MariaDbCutTests(MariaDbServer server) : CutTests(server), IClassFixture<MariaDbServer>
{
    protected override IReadOnlyList<int> Alone => [2];

    protected override IReadOnlyList<int> Refused => [3];

    protected override (string Routines, string Workers) Grants => ("GRANT SELECT ON mysql.proc TO few@'%'", "GRANT RELOAD ON *.* TO few@'%'");

    protected override MySqlSettings Settings(string database) => Server.Settings(database);

    protected override int Transactions(string gtid) => int.Parse(gtid.Split('-')[2], CultureInfo.InvariantCulture);

    protected override string GtidNow() => Server.Sql("SELECT @@GLOBAL.gtid_binlog_pos").Trim();

    [Fact]
    public async Task What_ends_behind_the_first_attempt_leaves_no_trace()
    {
        Busy.Fill("shortly");
        (string id, Task running) = await Busy.BlockAsync("shortly", "UPDATE item SET label = CONCAT('long', SLEEP(600))");
        using MySqlBench bench = new();
        Task<VerifiedSnapshot> capturing = bench.CaptureAsync(Settings("shortly"));
        IReadOnlyList<string> Attempts() => Server.Sessions(static _ => true, static info => info.StartsWith("FLUSH TABLES WITH", StringComparison.Ordinal));
        while (Attempts().Count == 0)
            await Task.Delay(20, Cancellation);
        while (Attempts().Count > 0)
            await Task.Delay(20, Cancellation);
        Server.Sql($"KILL {id}");
        await running;
        VerifiedSnapshot snapshot = await capturing;
        Assert.Empty(bench.Host.Warnings);
        Assert.True(MySqlDetails.From(snapshot.Metadata.Sources[0].Details!.Value).LockMilliseconds > 0);
    }
}

public sealed class OracleMySqlCutTests(OracleMySqlServer server) : CutTests(server), IClassFixture<OracleMySqlServer>
{
    protected override IReadOnlyList<int> Alone => [];

    protected override (string Routines, string Workers) Grants => (
        "GRANT SHOW_ROUTINE, FLUSH_TABLES ON *.* TO few@'%'", "GRANT REPLICATION CLIENT ON *.* TO few@'%'; GRANT SELECT ON performance_schema.* TO few@'%'");

    protected override MySqlSettings Settings(string database) => ((OracleMySqlServer)Server).InsideSettings(database);

    protected override int Transactions(string gtid) =>
        gtid.Split(',').Select(static set => set.Split(':')[1].Split('-')).Sum(static range => int.Parse(range[^1], CultureInfo.InvariantCulture) - int.Parse(range[0], CultureInfo.InvariantCulture) + 1);

    protected override string GtidNow() => Server.Sql("SELECT @@GLOBAL.gtid_executed").Trim();

    [Fact]
    public async Task A_session_that_writes_past_the_binary_log_makes_one_session_read_all()
    {
        Busy.Fill("past");
        (string id, Task running) = await Busy.BlockAsync("past", "SET sql_log_bin = 0; SELECT SLEEP(600)");
        using MySqlBench bench = new();
        await bench.CaptureAsync(Settings("past"));
        Server.Sql($"KILL {id}");
        await running;
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.MySqlOneWorker, warning.Code);
        Assert.Contains("sql_log_bin", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_gtids_a_quiet_moment_is_waited_for_and_the_lock_is_never_asked_for_beside_a_statement()
    {
        await using OracleMySqlServer plain = new() { Options = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"] };
        await plain.InitializeAsync();
        BusyServer busy = new(plain);
        await busy.WriteBesideAsync(static () => { }, async () =>
        {
            using MySqlBench bench = new(workers: 3);
            (int rows, MySqlDetails details) = await BusyServer.CaptureBankAsync(bench, plain.InsideSettings("bank"));
            Assert.Empty(bench.Host.Warnings);
            Assert.Null(details.Gtid);
            Assert.True(details.LockMilliseconds > 0);
            Assert.Equal(rows, busy.Written(details.BinlogPosition!));
        });

        (string id, Task running) = await busy.BlockAsync("bank", "SELECT SLEEP(600) FROM a");
        using MySqlBench beside = new();
        VerifiedSnapshot snapshot = await beside.CaptureAsync(plain.InsideSettings("bank"));
        Assert.Equal([ErrorCodes.MySqlOneWorker], beside.Host.Warnings.Select(static w => w.Code));
        Assert.Null(MySqlDetails.From(snapshot.Metadata.Sources[0].Details!.Value).BinlogPosition);
        await Task.Run(() => plain.Sql("UPDATE a SET filler = 'x' WHERE id = 2; SELECT COUNT(*) FROM a", "bank"), Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.False(running.IsCompleted);
        plain.Sql($"KILL {id}");
        await running;

        plain.Sql("CREATE USER few@'%' IDENTIFIED BY 'x'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON bank.* TO few@'%'; GRANT SHOW_ROUTINE, FLUSH_TABLES ON *.* TO few@'%'");
        GivenSecrets secrets = new(("PW", "x"));
        Assert.Equal([ErrorCodes.MySqlOneWorker, ErrorCodes.MySqlAccountsLeftOut], await WarningsAsync(plain.PasswordSettings("bank", "few"), secrets));
        plain.Sql("GRANT PROCESS ON *.* TO few@'%'");
        Assert.Equal([ErrorCodes.MySqlAccountsLeftOut], await WarningsAsync(plain.PasswordSettings("bank", "few"), secrets));
    }
}
