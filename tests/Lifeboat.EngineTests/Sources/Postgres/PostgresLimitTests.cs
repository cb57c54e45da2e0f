using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>The largest values and many tables. They take minutes and gigabytes of memory, so only <c>./test long</c> runs them.</summary>
[Trait("Time", "long")]
public sealed class PostgresLimitTests(TwoServers servers) : IClassFixture<TwoServers>, IDisposable
{
    private readonly RestoreBench _bench = new();

    private PostgresServer Source => servers.Source;

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("text", "repeat('0123456789', 107374175)")]
    [InlineData("bytea", "decode(repeat('00ff5c0a09', 100000000), 'hex')")]
    public async Task The_largest_values_that_PostgreSQL_can_write_come_back(string type, string value)
    {
        string name = "largest " + type;
        Source.CreateDatabase(name);
        Source.Sql(name, $"CREATE TABLE t (id int, v {type}); ALTER TABLE t ALTER v SET STORAGE EXTENDED; INSERT INTO t VALUES (1, {value}), (2, NULL)");

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, name);
        await _bench.RestoreAsync(snapshot, servers.Target, name);

        const string digests = "SELECT id, length(v), md5(v) FROM t ORDER BY id";
        Assert.Equal(Source.Sql(name, digests), servers.Target.Sql(name, digests));
        Drop(name);
    }

    [Fact]
    public async Task A_value_that_PostgreSQL_cannot_write_is_an_error_that_names_the_table()
    {
        Source.CreateDatabase("too large");
        Source.Sql("too large", "CREATE TABLE small (a int); CREATE TABLE s (v bytea); INSERT INTO s SELECT half || half FROM decode(repeat('00ff5c0a09', 60000000), 'hex') half");

        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => _bench.CaptureAsync(Source, "too large"));

        Assert.Contains("public.s", refused.Message);
        Source.Sql("postgres", "DROP DATABASE \"too large\"");
    }

    [Fact]
    public async Task Thousands_of_tables_need_no_more_locks_than_a_server_has_by_default()
    {
        Source.CreateDatabase("many");
        Source.Sql(
            "many",
            """
            SELECT format('CREATE TABLE t%s (id serial PRIMARY KEY, name text); INSERT INTO t%s (name) SELECT i FROM generate_series(1, %s) i', n, n, n % 7)
            FROM generate_series(1, 3000) n \gexec
            """);

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "many");
        await _bench.RestoreAsync(snapshot, servers.Target, "many");

        Assert.Equal(3000.ToString(CultureInfo.InvariantCulture), servers.Target.Sql("many", "SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]+$'").Trim());
        // pg_dump needs more locks for rows than a server has by default; they were compared by the restore.
        Assert.Equal(RestoreBench.Lines(Source.Dump("many", "--schema-only")), RestoreBench.Lines(servers.Target.Dump("many", "--schema-only")));
    }

    private void Drop(string name)
    {
        foreach (PostgresServer server in (PostgresServer[])[Source, servers.Target])
            server.Sql("postgres", $"DROP DATABASE \"{name}\"");
    }
}
