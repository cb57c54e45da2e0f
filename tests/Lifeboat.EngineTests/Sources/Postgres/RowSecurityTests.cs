using Lifeboat.Engine.Snapshots;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Row security must not hide rows from a backup, nor from the comparison that proves a restore.</summary>
public sealed class RowSecurityTests(TwoServers servers) : IClassFixture<TwoServers>, IDisposable
{
    private readonly RestoreBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("on")]
    [InlineData("off")]
    public async Task All_rows_are_captured_whatever_the_role_and_the_database_say(string setting)
    {
        string name = "secured " + setting;
        servers.Source.CreateDatabase(name);
        servers.Source.Sql(
            name,
            $"""
            CREATE ROLE "keeper {setting}" LOGIN BYPASSRLS; GRANT pg_read_all_data TO "keeper {setting}";
            ALTER ROLE "keeper {setting}" SET row_security = {setting}; ALTER DATABASE "{name}" SET row_security = {setting};
            CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100);
            ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (a < 10);
            """);

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(servers.Source, name, user: "keeper " + setting);
        await _bench.RestoreAsync(snapshot, servers.Target, name);

        Assert.Equal(100, _bench.Captured.Tables!.Single().Rows);
        RestoreBench.AssertSameDump(servers.Source, name, servers.Target, name);
    }

    [Fact]
    public async Task An_owner_to_whom_the_policies_apply_restores_all_rows()
    {
        const string roles = "CREATE ROLE tenant LOGIN CREATEDB";
        servers.Source.Sql("postgres", roles);
        servers.Source.CreateDatabase("tenant", "OWNER tenant");
        servers.Source.Sql(
            "tenant",
            """
            CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100);
            ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (a < 10);
            CREATE TABLE child (a int REFERENCES t); INSERT INTO child VALUES (5), (50);
            """,
            "tenant");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(servers.Source, "tenant");
        servers.Target.Sql("postgres", roles);

        await _bench.RestoreAsync(snapshot, servers.Target, "tenant", user: "tenant");

        RestoreBench.AssertSameDump(servers.Source, "tenant", servers.Target, "tenant");
        Assert.Equal("100|9", servers.Target.Sql("tenant", "SELECT count(*), (SELECT count(*) FROM t WHERE a < 10) FROM t").Trim());
    }
}
