using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>
/// Client programs of several major versions on one machine: this machine's of 15, and those of 17 from a chroot, run by its own loader and libraries so that they
/// see this machine's files.
/// </summary>
public sealed class SeveralToolsTests : IAsyncLifetime
{
    private const string Fifteen = "/usr/lib/postgresql/15/bin";
    private readonly PostgresServer _fifteen = new();
    private readonly PostgresServer _seventeen = PostgresServer.InChroot("trixie", 17);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Seventeen => _folder["17/bin"];

    public async ValueTask InitializeAsync()
    {
        await _fifteen.InitializeAsync();
        await _seventeen.InitializeAsync();
        Directory.CreateDirectory(Seventeen);
        string root = _seventeen.Root, loader = Directory.GetFiles(root + "/usr/lib64", "ld-linux-*.so.*").Single(), libraries = Directory.GetDirectories(root + "/usr/lib", "*-linux-gnu").Single();
        foreach (string program in (string[])["psql", "pg_dump", "pg_dumpall", "pg_restore"])
        {
            string wrapper = Path.Combine(Seventeen, program);
            await File.WriteAllTextAsync(wrapper, $"#!/bin/sh\nexec {loader} --library-path {libraries} --argv0 \"$0\" {root}{_seventeen.Bin}/{program} \"$@\"\n", Cancellation);
        }

        EndToEnd.LifeboatProgram.Shell(Seventeen, "chmod +x *");
    }

    public async ValueTask DisposeAsync()
    {
        await _fifteen.DisposeAsync();
        await _seventeen.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Where 15 is in no folder of PATH, it is in a usual one; /usr/bin/psql is Debian's pg_wrapper, which chooses by itself.</summary>
    [Theory]
    [InlineData("17", Fifteen)]
    [InlineData(Fifteen, "17")]
    [InlineData("/usr/bin", "/bin", "17")]
    public async Task Each_server_is_talked_to_by_the_programs_of_its_own_version(params string[] path)
    {
        string folders = string.Join(':', path.Select(folder => folder == "17" ? Seventeen : folder));
        foreach ((PostgresServer server, string version) in new[] { (_fifteen, "PostgreSQL 15."), (_seventeen, "PostgreSQL 17.") })
        {
            RestoreBench.CreateShop(server);
            using RestoreBench bench = new(path: folders);

            await using VerifiedSnapshot snapshot = await CaptureAsync(bench, server, "shop", toolsFolder: null);
            await RestoreAsync(bench, snapshot, server, "restored", toolsFolder: null);

            Assert.StartsWith(version, snapshot.Metadata.Sources[0].Tools, StringComparison.Ordinal);
            Assert.Empty(bench.Host.Warnings);
            RestoreBench.AssertSameDump(server, "shop", server, "restored");
        }
    }

    [Fact]
    public async Task A_snapshot_of_newer_programs_wants_them_at_the_restore()
    {
        RestoreBench.CreateFixture(_fifteen, "every-object-kind.sql", "every kind");
        using RestoreBench bench = new(path: $"{Seventeen}:{Fifteen}");
        await using VerifiedSnapshot snapshot = await CaptureAsync(bench, _fifteen, "every kind", Seventeen);
        Assert.StartsWith("PostgreSQL 17.", snapshot.Metadata.Sources[0].Tools, StringComparison.Ordinal);

        await using IRestoration older = Source(bench, _fifteen, "restored", Fifteen).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("older"));
        Problem blocker = Assert.Single((await older.PlanAsync(Cancellation)).Blockers);
        Assert.Equal(ErrorCodes.PostgresToolsTooOld, blocker.Code);
        Assert.Contains("version PostgreSQL 17.", blocker.Message);
        Assert.Contains("15.", blocker.Message);
        Assert.Contains("postgresql-client-17", blocker.Hint);

        await RestoreAsync(bench, snapshot, _fifteen, "restored", toolsFolder: null);

        Assert.DoesNotContain(bench.Host.Warnings, static w => w.Code == ErrorCodes.PostgresNotComparable);
        RestoreBench.AssertSameDump(_fifteen, "every kind", _fifteen, "restored");
    }

    [Fact]
    public async Task Newer_programs_restore_to_an_older_server()
    {
        RestoreBench.CreateFixture(_fifteen, "every-object-kind.sql", "every kind");
        using RestoreBench bench = new();
        await using VerifiedSnapshot snapshot = await CaptureAsync(bench, _fifteen, "every kind", Fifteen);

        await RestoreAsync(bench, snapshot, _fifteen, "restored", Seventeen);

        Assert.DoesNotContain(bench.Host.Warnings, static w => w.Code == ErrorCodes.PostgresNotComparable);
        RestoreBench.AssertSameDump(_fifteen, "every kind", _fifteen, "restored");
    }

    /// <summary>By TCP, which the programs of both sides can.</summary>
    private static PostgresSource Source(RestoreBench bench, PostgresServer server, string database, string? toolsFolder) => new(
        new("main", server.Url(database), null, new(SecretScheme.Env, "PASSWORD"), []), toolsFolder, bench.Host.Context, new GivenSecrets(("PASSWORD", PostgresServer.Password)));

    private static async Task<VerifiedSnapshot> CaptureAsync(RestoreBench bench, PostgresServer server, string database, string? toolsFolder)
    {
        await using ICapture capture = await Source(bench, server, database, toolsFolder).OpenAsync(Cancellation);
        return await bench.Snapshot.FinishAsync(await capture.WriteAsync(bench.Snapshot, Cancellation));
    }

    private static async Task RestoreAsync(RestoreBench bench, VerifiedSnapshot snapshot, PostgresServer server, string database, string? toolsFolder)
    {
        await using IRestoration restoration = Source(bench, server, database, toolsFolder).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
        Assert.Empty((await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);
    }
}
