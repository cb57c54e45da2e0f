using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Restores that must not succeed: nothing live changes, and nothing of theirs stays.</summary>
public sealed class RestoreFailureTests : IAsyncLifetime
{
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _source = new();
    private readonly PostgresServer _target = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _source.InitializeAsync();
        await _target.InitializeAsync();
        RestoreBench.CreateShop(_source);
        // Something live on the target, under the same name.
        _target.CreateDatabase("shop");
        _target.Sql("shop", "CREATE TABLE live (a int); INSERT INTO live VALUES (42)");
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        _bench.Dispose();
    }

    [Fact]
    public async Task One_changed_value_in_a_snapshot_with_mended_checksums_fails_verification()
    {
        await (await _bench.CaptureAsync(_source, "shop")).DisposeAsync();
        Edit("app.customers.copy", static text => text.Replace("name 1234\t", "name 1243\t", StringComparison.Ordinal));
        await using VerifiedSnapshot snapshot = await _bench.RefinishAsync();
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        await restoration.StageAsync(Cancellation);

        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        VerifyCheck failed = Assert.Single(report.Checks, static check => !check.Passed);
        Assert.Equal("table app.customers", failed.Subject);
        await AssertNothingStaysAsync(restoration);
    }

    [Theory]
    [InlineData("UPDATE app.customers SET name = 'somebody' WHERE id = 7")]
    [InlineData("INSERT INTO app.customers (name) SELECT name FROM app.customers LIMIT 1")]
    [InlineData("ALTER TABLE app.customers DISABLE TRIGGER ALL; DELETE FROM app.customers WHERE id = 7; ALTER TABLE app.customers ENABLE TRIGGER ALL")]
    public async Task A_row_that_is_changed_after_its_table_was_read_back_fails_verification(string change)
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        await restoration.StageAsync(Cancellation);
        _target.Sql("shop__staging_testid", $"ALTER EVENT TRIGGER refuse DISABLE; SET session_replication_role = replica; {change}; ALTER EVENT TRIGGER refuse ENABLE ALWAYS");

        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        Assert.Contains(report.Checks, static check => !check.Passed && check.Subject == "table app.customers");
        await AssertNothingStaysAsync(restoration);
    }

    [Theory]
    [InlineData("schema.dump")]
    [InlineData("sequences")]
    public async Task A_value_that_is_not_a_rows_fails_verification_too(string what)
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        await restoration.StageAsync(Cancellation);
        _target.Sql(
            "shop__staging_testid",
            what == "sequences" ? "SELECT setval('app.orders_id_seq', 5)" : "ALTER EVENT TRIGGER refuse DISABLE; GRANT DELETE ON app.orders TO shop_readers; ALTER EVENT TRIGGER refuse ENABLE ALWAYS");

        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        VerifyCheck failed = Assert.Single(report.Checks, static check => !check.Passed);
        Assert.Equal(what == "sequences" ? "sequence app.orders_id_seq" : "schema", failed.Subject);
        await AssertNothingStaysAsync(restoration);
    }

    [Fact]
    public async Task A_data_file_that_was_altered_fails_verification()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        Edit("app.orders.copy", static text => text.Replace("\tpaid\t", "\tnew\t", StringComparison.Ordinal));
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");

        await restoration.StageAsync(Cancellation);
        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        VerifyCheck failed = Assert.Single(report.Checks, static check => !check.Passed);
        Assert.Equal("table app.orders", failed.Subject);
        await AssertNothingStaysAsync(restoration);
    }

    [Fact]
    public async Task A_row_that_the_server_refuses_stops_staging_and_is_named()
    {
        await (await _bench.CaptureAsync(_source, "shop")).DisposeAsync();
        Edit("app.orders.copy", static text => text.Replace("\tpaid\t", "\tstolen\t", StringComparison.Ordinal));
        await using VerifiedSnapshot snapshot = await _bench.RefinishAsync();
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");

        LifeboatException thrown = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation));

        Assert.Contains("app.orders", thrown.Message.Replace("\"", "", StringComparison.Ordinal));
        Assert.Contains("stolen", thrown.Message);
        await AssertNothingStaysAsync(restoration);
    }

    [Fact]
    public async Task Rows_that_are_lost_are_a_difference_though_the_key_that_this_breaks_stops_nothing()
    {
        await (await _bench.CaptureAsync(_source, "shop")).DisposeAsync();
        Edit("app.customers.copy", static text => text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..]);
        await using VerifiedSnapshot snapshot = await _bench.RefinishAsync();
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");

        await restoration.StageAsync(Cancellation);
        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        Assert.Contains("orders_customer_fkey", Assert.Single(_bench.Host.Warnings, static one => one.Code == ErrorCodes.PostgresRowsUnfit).Message);
        Assert.Equal("table app.customers", Assert.Single(report.Checks, static check => !check.Passed).Subject);
        await AssertNothingStaysAsync(restoration);
    }

    [Fact]
    public async Task A_connection_that_is_killed_while_rows_are_loaded_stops_staging()
    {
        _source.Sql("shop", "ALTER EVENT TRIGGER refuse DISABLE; CREATE TABLE app.slow AS SELECT i, repeat('x', 1000) AS t FROM generate_series(1, 300000) i");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        Task staging = restoration.StageAsync(Cancellation);
        while (!staging.IsCompleted && _target.Sql(
            "postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'shop__staging_testid' AND query LIKE 'COPY%slow%'").Trim() == "0")
            await Task.Delay(5, Cancellation);

        LifeboatException thrown = await Assert.ThrowsAsync<LifeboatException>(() => staging);

        Assert.Equal(ErrorCodes.PostgresConnectionLost, thrown.Code);
        await AssertNothingStaysAsync(restoration);
    }

    [Fact]
    public async Task A_cancelled_staging_leaves_nothing()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task staging = restoration.StageAsync(stop.Token);
        while (!staging.IsCompleted && !RestoreBench.Databases(_target).Contains("shop__staging_testid"))
            await Task.Delay(5, Cancellation);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => staging);

        await AssertNothingStaysAsync(restoration);
    }

    [Fact]
    public async Task A_missing_extension_is_found_before_anything_is_written()
    {
        await (await _bench.CaptureAsync(_source, "shop")).DisposeAsync();
        PostgresDetails details = PostgresDetails.From(_bench.Captured.Details!.Value);
        SourceMetadata altered = _bench.Captured with
        {
            Details = (details with { Extensions = [.. details.Extensions, new PostgresExtension("vector", "0.8.0", "public", [])] }).ToJson(),
        };
        await using VerifiedSnapshot snapshot = await _bench.Snapshot.FinishAsync(altered);
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Problem blocker = Assert.Single(plan.Blockers);
        Assert.Equal(ErrorCodes.PostgresExtensionMissing, blocker.Code);
        Assert.Contains("vector 0.8.0", blocker.Message);
        Assert.Contains("postgresql-15-pgvector", blocker.Hint);
        Assert.Equal([blocker], (await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation))).Problems);
        await AssertNothingStaysAsync(restoration);
    }

    [Fact]
    public async Task An_older_server_a_missing_locale_and_taken_names_are_all_found_at_once()
    {
        await (await _bench.CaptureAsync(_source, "shop")).DisposeAsync();
        PostgresDetails details = PostgresDetails.From(_bench.Captured.Details!.Value);
        SourceMetadata altered = _bench.Captured with
        {
            Details = (details with { ServerVersion = "99.1", ServerVersionNumber = 990001, Database = details.Database with { Collate = "tlh_KX.UTF-8" } }).ToJson(),
        };
        await using VerifiedSnapshot snapshot = await _bench.Snapshot.FinishAsync(altered);
        _target.CreateDatabase("shop__before_testid");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Assert.Equal(
            [ErrorCodes.PostgresTargetOlder, ErrorCodes.PostgresLocaleMissing, ErrorCodes.PostgresNameTaken], plan.Blockers.Select(static problem => problem.Code));
        Assert.Contains("99.1", plan.Blockers[0].Message);
        Assert.Contains("15.", plan.Blockers[0].Message);
        Assert.Contains("tlh_KX.UTF-8", plan.Blockers[1].Message);
    }

    [Fact]
    public async Task Every_right_that_is_lacking_is_named()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _target.Sql("postgres", "CREATE ROLE nobody LOGIN");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop", user: "nobody");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Assert.All(plan.Blockers, static blocker => Assert.Equal(ErrorCodes.PostgresRightMissing, blocker.Code));
        string all = string.Join('\n', plan.Blockers);
        Assert.Contains("user nobody may not create databases", all);
        Assert.Contains("role shop_owner is not on the server", all);
        Assert.Contains("role shop_readers is not on the server", all);
        Assert.Contains("database shop belongs to postgres", all);
        await AssertNothingStaysAsync(restoration, "nobody");
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_a_reason_in_the_plan()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _target.Stop();
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Assert.Equal(ErrorCodes.PostgresUnreachable, Assert.Single(plan.Blockers).Code);
    }

    [Fact]
    public async Task Too_few_connections_are_a_reason_in_the_plan()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _target.Sql("postgres", "CREATE ROLE limited LOGIN CREATEDB CREATEROLE CONNECTION LIMIT 3");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "fresh", user: "limited");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Problem blocker = Assert.Single(plan.Blockers, static one => one.Code == ErrorCodes.PostgresOutOfResources);
        Assert.Contains("the server has 2 left for user limited", blocker.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_switch_that_fails_half_way_gives_the_live_database_its_name_back()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        await restoration.StageAsync(Cancellation);
        // The staged database cannot be renamed while it has a prepared transaction.
        _target.Sql("postgres", "ALTER SYSTEM SET max_prepared_transactions = 5");
        _target.Stop("fast");
        _target.Start();
        _target.Sql("shop__staging_testid", "BEGIN; INSERT INTO app.scratch VALUES (7); PREPARE TRANSACTION 'x'");

        await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(Cancellation));

        Assert.Equal(["postgres", "shop", "shop__staging_testid"], RestoreBench.Databases(_target));
        Assert.Equal("42", _target.Sql("shop", "SELECT * FROM live").Trim());
    }

    private void Edit(string file, Func<string, string> change)
    {
        string path = _bench.SnapshotFile($"databases/main/data/{file}");
        string before = File.ReadAllText(path), after = change(before);
        Assert.NotEqual(before, after);
        File.WriteAllText(path, after);
    }

    private async Task AssertNothingStaysAsync(IRestoration restoration, params string[] otherRoles)
    {
        Assert.Equal("42", _target.Sql("shop", "SELECT * FROM live").Trim());
        await restoration.DiscardAsync(Cancellation);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(["postgres", "shop"], RestoreBench.Databases(_target));
        Assert.Equal(
            ["postgres", .. otherRoles],
            _target.Sql("postgres", "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY oid").Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(_bench.Leftovers);
    }
}
