using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Tests.Shared;
using Npgsql;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>
/// What the owner of a database, who is no superuser, can put in the way of a superuser who looks at it, backs it up and restores it: none of it is run as the superuser
/// (the classes of CVE-2018-1058 and CVE-2024-7348).
/// </summary>
public sealed class HostileDatabaseTests(PostgresServer server) : IClassFixture<PostgresServer>, IDisposable
{
    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Nothing_with_a_name_of_the_systems_is_run_from_a_schema_that_comes_first()
    {
        CreateOwned("shadowed", "shadow_owner");
        server.SqlFile("shadowed", Path.Combine(AppContext.BaseDirectory, "Sources", "Postgres", "Fixtures", "shadows.sql"), "shadow_owner");
        // What follows can fail: each kind of shadow is in the way of those who let the database's path hold.
        foreach (string sql in (string[])["SELECT 1 = 1", "SELECT lower('A')", "SELECT sum(1)", "SELECT '1'::oid", "TABLE pg_class"])
            Assert.Contains("shadow", Assert.Throws<InvalidOperationException>(() => server.Sql("shadowed", sql)).Message, StringComparison.Ordinal);

        Assert.Empty(await CheckAsync("shadowed"));
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "shadowed");
        server.Sql("shadowed", "SET search_path = pg_catalog; INSERT INTO public.shop VALUES (4, 'later')");
        await using (IRestoration restoration = _bench.Restoration(snapshot, server, "shadowed", "shadows"))
        {
            Assert.Empty((await restoration.PlanAsync(Cancellation)).Blockers);
            await restoration.StageAsync(Cancellation);
            RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
            await restoration.CommitAsync(Cancellation);
            await restoration.Switch.FinishAsync(Cancellation);
            Assert.Equal("3", server.Sql("shadowed", "SET search_path = pg_catalog; SELECT count(*) FROM public.shop").Trim());
            Assert.NotNull(await restoration.Switch.KeptAsync(Cancellation));
            await restoration.Switch.BackAsync(Cancellation);
            Assert.Equal("4", server.Sql("shadowed", "SET search_path = pg_catalog; SELECT count(*) FROM public.shop").Trim());
        }
    }

    [Theory]
    [InlineData("VIEW s.seq AS SELECT s.evil() AS last_value, true AS is_called, 0::oid AS tableoid", "0")]
    [InlineData("TABLE s.seq (last_value int8, is_called bool); INSERT INTO s.seq VALUES (666, true)", "1")]
    public async Task A_sequence_that_is_exchanged_while_the_tables_are_locked_is_not_read_in_its_new_form(string exchanged, string tables)
    {
        string name = "exchanged" + tables;
        CreateOwned(name, "exchanger" + tables);
        server.Sql(
            name,
            """
            CREATE SCHEMA s; CREATE TABLE s.aaa (i int); CREATE SEQUENCE s.seq; CREATE SEQUENCE s.other; SELECT setval('s.other', 42, false);
            CREATE FUNCTION s.evil() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
              IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE ' || (SELECT tableowner FROM pg_catalog.pg_tables
                WHERE schemaname = 's' AND tablename = 'aaa') || ' SUPERUSER'; END IF; RETURN 7; END $$;
            """,
            "exchanger" + tables);
        await using NpgsqlConnection owner = new($"Host={server.SocketFolder};Port={server.Port};Username=exchanger{tables};Database={name};Pooling=false");
        await owner.OpenAsync(Cancellation);
        await RunAsync(owner, "BEGIN; LOCK TABLE s.aaa IN ACCESS EXCLUSIVE MODE");

        Task<VerifiedSnapshot> capturing = _bench.CaptureAsync(server, name);
        while (!capturing.IsCompleted && server.Sql("postgres", "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'").Trim() == "0")
            await Task.Delay(20, Cancellation);
        await RunAsync(owner, $"DROP SEQUENCE s.seq; CREATE {exchanged}; COMMIT");
        await using VerifiedSnapshot snapshot = await capturing;

        Assert.Equal("f", server.Sql("postgres", $"SELECT rolsuper FROM pg_roles WHERE rolname = 'exchanger{tables}'").Trim());
        PostgresDetails details = PostgresDetails.From(snapshot.Metadata.Sources[0].Details!.Value);
        Assert.Equal([("other", 42L, false)], details.Sequences.Select(static s => (s.Name, s.LastValue, s.IsCalled)));
        Assert.Equal(tables, details.Tables.Count(static t => t.Name == "seq").ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Every way by which redacting would call a function: when the replacement is tried, when it is captured, when constraints and indexes on it are proven.</summary>
    [Fact]
    public async Task Redacting_calls_nothing_that_the_owner_wrote_and_says_what_it_did_not_prove()
    {
        CreateOwned("redacted", "redacted_owner");
        server.Sql(
            "redacted",
            """
            CREATE SCHEMA app; CREATE TABLE app.called (by text);
            CREATE FUNCTION app.evil(v text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
              IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE redacted_owner SUPERUSER'; END IF; RETURN true; END $$;
            CREATE FUNCTION app.shown(v text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM app.evil(v); RETURN v; END $$;
            CREATE TYPE app.state AS ENUM ('new', 'old');
            CREATE FUNCTION app.word(s app.state) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM app.evil('x'); RETURN 'new'; END $$;
            CREATE CAST (app.state AS text) WITH FUNCTION app.word(app.state) AS ASSIGNMENT;
            CREATE DOMAIN app.handle AS varchar(40) CHECK (app.evil(VALUE::text));
            CREATE DOMAIN app.inner_handle AS app.handle;
            CREATE TABLE app.person (id int PRIMARY KEY, nick app.inner_handle, mail text CHECK (app.evil(mail)), s app.state, plain text CHECK (length(plain) > 2));
            CREATE INDEX ON app.person (app.shown(mail)); CREATE INDEX ON app.person (id) WHERE app.evil(nick::text);
            INSERT INTO app.person VALUES (1, 'secret', 'secret', 'old', 'secret');
            """,
            "redacted_owner");
        ColumnRedaction[] redact = [
            new("nick", ["app", "person", "nick"], Replacement.Hash, null), new("mail", ["app", "person", "mail"], Replacement.Mask, null),
            new("s", ["app", "person", "s"], Replacement.Constant, "new"), new("plain", ["app", "person", "plain"], Replacement.Mask, null)];
        PostgresSource source = new(server.Settings("redacted") with { Redact = redact }, server.Bin, _bench.Host.Context, new NoSecrets());

        Problem[] told = [.. await source.CheckAsync(Cancellation)];
        await using (ICapture capture = await source.OpenAsync(Cancellation))
            await capture.WriteAsync(_bench.Snapshot, Cancellation);

        Assert.Equal("f", server.Sql("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'redacted_owner'").Trim());
        Assert.All(told, static problem => Assert.Equal(ErrorCodes.PostgresRedactionUnproven, problem.Code));
        Assert.Equal(4, told.Length);
        foreach (string what in (string[])["check constraint person_mail_check", "domain app.inner_handle", "index person_shown_idx", "index person_id_idx"])
            Assert.Contains(told, problem => problem.Message.Contains(what, StringComparison.Ordinal));
        string[] row = File.ReadAllText(_bench.SnapshotFile("databases/main/data/app.person.copy")).Trim().Split('\t');
        Assert.Equal(["1", "xxxxxx", "new", "xxxxxx"], [row[0], .. row[2..]]);
        Assert.Equal(32, row[1].Length);
        // What is the system's own is proven as before.
        PostgresSource refused = new(server.Settings("redacted") with { Redact = [new("plain", ["app", "person", "plain"], Replacement.Constant, "x")] }, server.Bin, _bench.Host.Context, new NoSecrets());
        Assert.Contains("check constraint person_plain_check refuses the values", Assert.Single(await refused.CheckAsync(Cancellation)).Message, StringComparison.Ordinal);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private void CreateOwned(string database, string owner)
    {
        server.Sql("postgres", $"CREATE ROLE {owner} LOGIN");
        server.CreateDatabase(database, $"OWNER {owner}");
    }

    private Task<IReadOnlyList<Problem>> CheckAsync(string database) =>
        new PostgresSource(server.Settings(database), server.Bin, _bench.Host.Context, new NoSecrets()).CheckAsync(Cancellation);
}
