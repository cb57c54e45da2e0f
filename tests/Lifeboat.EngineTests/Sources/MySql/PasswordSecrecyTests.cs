using System.Globalization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>While programs work for a backup or a restore, other users of the machine see neither the password they log in with nor others' hashes.</summary>
public abstract class PasswordSecrecyTests(MariaDbServer server)
{
    private const string Password = "s3cret-Of-The-Operator";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_program_has_a_password_or_a_hash_in_its_arguments_or_its_environment()
    {
        server.Sql($"""
            CREATE DATABASE hidden; USE hidden; CREATE TABLE t (a INT PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, REPEAT('x', 60000)), (2, REPEAT('y', 60000));
            CREATE USER operator@'%' IDENTIFIED BY '{Password}'; GRANT ALL PRIVILEGES ON *.* TO operator@'%' WITH GRANT OPTION;
            CREATE USER hidden_app@'%' IDENTIFIED BY 'other-Password-Of-Others'; GRANT SELECT ON hidden.* TO hidden_app@'%';
            """);
        string hash = server.Sql("SELECT authentication_string FROM mysql.user WHERE User = 'hidden_app'", "mysql", "--raw").Trim();
        string[] secrets = [Password, "other-Password-Of-Others", hash[^20..]];
        GivenSecrets given = new(("PW", Password));
        using MySqlBench bench = new();
        Looked seen = new(secrets);
        InterruptedSnapshot watched = new(bench.Snapshot, "t.tsv", seen.Look, 1);
        VerifiedSnapshot snapshot;
        await using (ICapture capture = await bench.Source(server.PasswordSettings("hidden", "operator"), given).OpenAsync(Cancellation))
            snapshot = await bench.Snapshot.FinishAsync(await capture.WriteAsync(watched, Cancellation));
        Assert.True(watched.Interrupted);
        server.Sql("DROP USER hidden_app@'%'");
        watched = new InterruptedSnapshot(bench.Snapshot, "t.tsv", seen.Look, 1);
        await using IRestoration restoration = bench.Source(server.PasswordSettings("hidden_copy", "operator"), given)
            .PrepareRestore(await VerifiedSnapshot.OpenAsync(watched, Cancellation), snapshot.Metadata.Sources[0], new RestoreRun("testid"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        Assert.True(watched.Interrupted);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);
        Assert.Equal([], seen.Found);
        Assert.True(seen.Clients >= 2, $"only {seen.Clients} client programs were looked at");
    }

    /// <summary>Arguments and environments of all programs that this test has running.</summary>
    private sealed class Looked(string[] secrets)
    {
        public List<string> Found { get; } = [];

        public int Clients { get; private set; }

        public void Look()
        {
            Dictionary<int, int> parents = [];
            foreach (string folder in Directory.EnumerateDirectories("/proc").Where(static one => int.TryParse(Path.GetFileName(one), out _)))
            {
                if (Read(folder, "stat") is { Length: > 0 } stat)
                    parents[int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture)] = int.Parse(stat[(stat.LastIndexOf(')') + 4)..].Split(' ')[0], CultureInfo.InvariantCulture);
            }

            foreach (int process in parents.Keys.Where(one => IsOurs(one, parents)))
            {
                string arguments = Read($"/proc/{process}", "cmdline");
                Clients += arguments.Contains("--unbuffered", StringComparison.Ordinal) ? 1 : 0;
                string all = arguments + Read($"/proc/{process}", "environ");
                Found.AddRange(secrets.Where(secret => all.Contains(secret, StringComparison.Ordinal)).Select(secret => $"{secret} in {arguments}"));
            }
        }

        private static bool IsOurs(int process, Dictionary<int, int> parents)
        {
            for (int one = process; parents.TryGetValue(one, out int parent); one = parent)
            {
                if (parent == Environment.ProcessId)
                    return true;
            }

            return false;
        }

        private static string Read(string folder, string file)
        {
            try
            {
                return File.ReadAllText(Path.Combine(folder, file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return ""; // it has ended
            }
        }
    }
}

public sealed class MariaDbPasswordSecrecyTests(MariaDbServer server) : PasswordSecrecyTests(server), IClassFixture<MariaDbServer>;

public sealed class OracleMySqlPasswordSecrecyTests(OracleMySqlServer server) : PasswordSecrecyTests(server), IClassFixture<OracleMySqlServer>;
