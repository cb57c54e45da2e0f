using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Snapshots of MariaDB that somebody altered who can fix all checksums: refused before anything of them is run.</summary>
public sealed class HostileBundleTests(MariaDbServer server) : IClassFixture<MariaDbServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_of_a_hostile_snapshot_is_run_and_the_honest_one_is_restored()
    {
        server.Sql("""
            CREATE DATABASE hostile; USE hostile; CREATE TABLE item (id INT PRIMARY KEY, label TEXT); INSERT INTO item VALUES (1, 'a;b');
            CREATE VIEW items AS SELECT * FROM item; CREATE SEQUENCE numbers; CREATE PROCEDURE p() SELECT 1; CREATE USER hostile@localhost IDENTIFIED BY 'x'; GRANT SELECT ON hostile.* TO hostile@localhost
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot captured = await bench.CaptureAsync(server.Settings("hostile"));
        SourceMetadata metadata = captured.Metadata.Sources[0];
        string witness = Path.Combine(Path.GetTempPath(), "pwned_" + Guid.NewGuid().ToString("N"));
        foreach ((string file, string begin) in ((string, string)[])
            [("schema.sql", "CREATE TABLE `item`"), ("objects.sql", "CREATE ALGORITHM"), ("objects.sql", "CREATE DEFINER"), ("sequences.sql", "CREATE SEQUENCE"), ("users.sql", "CREATE USER IF NOT EXISTS `hostile`"), ("users.sql", "GRANT SELECT")])
            foreach (string hostile in (string[])
                [$"\\! touch {witness}\n", $"system touch {witness}\n", "CREATE DATABASE pwned; ", "source /etc/passwd\n", "delimiter ;\nCREATE DATABASE pwned;\n", "/*!99999 ' */ CREATE DATABASE pwned; /* ' */ ", "SET GLOBAL max_connections = 77; "])
                await RefusedAsync(bench, metadata, $"databases/{metadata.Name}/{file}", begin, hostile, witness);

        await using VerifiedSnapshot honest = await bench.Snapshot.FinishAsync(metadata);
        await (await bench.RestoreAsync(honest, server.Settings("honest"))).DisposeAsync();
        Assert.Equal("1\ta;b", server.Sql("SELECT * FROM item", "honest").Trim());
        Assert.False(File.Exists(witness));
    }

    private async Task RefusedAsync(MySqlBench bench, SourceMetadata metadata, string file, string begin, string hostile, string witness)
    {
        string path = Path.Combine(bench.Folder, file);
        string text = await File.ReadAllTextAsync(path, Encoding.Latin1, Cancellation);
        Assert.Contains(begin, text, StringComparison.Ordinal);
        foreach (bool before in (bool[])[true, false])
        {
            // Before a statement, or behind it.
            int at = text.IndexOf(begin, StringComparison.Ordinal);
            int place = before ? at : text.IndexOf("\n;", at, StringComparison.Ordinal);
            await File.WriteAllTextAsync(path, text.Insert(place, before ? hostile : "; " + hostile), Encoding.Latin1, Cancellation);
            try
            {
                await using VerifiedSnapshot snapshot = await new FolderSnapshot(bench.Folder) { IsAuthentic = false }.FinishAsync(metadata);
                await using IRestoration restoration = bench.Restoration(snapshot, server.Settings("honest"));
                RestorePlan plan = await restoration.PlanAsync(Cancellation);
                Assert.True(plan.Blockers.Any(static one => one.Code == ErrorCodes.MySqlNotADump || one.Code == ErrorCodes.BundleDamaged), $"{file}: {hostile}");
                await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation));
                Assert.DoesNotContain("pwned", server.Sql("SHOW DATABASES"), StringComparison.Ordinal);
                Assert.NotEqual("77", server.Sql("SELECT @@GLOBAL.max_connections").Trim());
                Assert.False(File.Exists(witness));
            }
            finally
            {
                await File.WriteAllTextAsync(path, text, Encoding.Latin1, Cancellation);
            }
        }
    }
}
