using System.Diagnostics;
using System.Globalization;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Bad luck and bad input, as an operator meets them: the exit status is right, the words help, and nothing is lost.</summary>
public sealed class LifeboatProgramTests
{
    [Fact]
    public async Task Killed_at_any_moment_a_backup_leaves_no_bundle_and_the_next_run_works()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        SampleApp app = new(folder["app"], server);
        app.Create(pagila: false, files: 300);
        server.Sql("shop", "CREATE TABLE big AS SELECT i, md5(i::text) || md5((i + 1)::text) AS t FROM generate_series(1, 400000) i");
        Stopwatch whole = Stopwatch.StartNew();
        Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        long length = whole.ElapsedMilliseconds;
        File.Delete(Assert.Single(app.Bundles));
        Dictionary<string, string> temporary = new() { ["TMPDIR"] = Directory.CreateDirectory(folder["tmp"]).FullName };

        int killed = 0;
        for (int i = 1; i <= 12; i++)
        {
            using Process run = LifeboatProgram.Start(app.Directory, temporary, "backup");
            await Task.Delay(TimeSpan.FromMilliseconds(length * i / 13.0), TestContext.Current.CancellationToken);
            run.Kill(); // SIGKILL, of the program alone
            await run.WaitForExitAsync(TestContext.Current.CancellationToken);
            if (run.ExitCode != 0)
                killed++;
            foreach (string bundle in app.Bundles)
            {
                // A run that got to its end before the kill: then its bundle must be whole.
                ProgramRun verified = LifeboatProgram.Run(app.Directory, "verify", bundle);
                Assert.True(verified.ExitStatus == 0, verified.All);
                File.Delete(bundle);
            }
        }

        Assert.True(killed >= 6, $"only {killed} of 12 runs were still running when they were killed");
        ProgramRun next = LifeboatProgram.Run(app.Directory, temporary, "backup");
        Assert.True(next.ExitStatus == 0, next.All);
        Assert.Single(app.Bundles);
        Assert.Empty(Directory.GetFiles(app.Store, ".*partial"));
        Assert.Empty(Directory.GetFiles(folder["tmp"], "*dump*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Interrupted_a_backup_cleans_up_and_exits_130()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        LifeboatProgram.Shell(app.Directory, "truncate -s 30G filestore/huge");

        using Process run = LifeboatProgram.Start(app.Directory, new Dictionary<string, string>(), "backup");
        SpinWait.SpinUntil(() => Directory.Exists(app.Store) && Directory.GetFiles(app.Store, ".*partial").Length > 0, TimeSpan.FromSeconds(20));
        LifeboatProgram.Shell("/", $"kill -INT {run.Id}");
        ProgramRun ended = LifeboatProgram.Finish(run);

        Assert.True(ended.ExitStatus == 130, ended.All);
        Assert.Empty(Directory.GetFiles(app.Store));
    }

    [Fact]
    public async Task A_second_run_on_the_same_app_is_refused_and_told_who_holds_it()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        LifeboatProgram.Shell(app.Directory, "truncate -s 30G filestore/huge");
        using Process first = LifeboatProgram.Start(app.Directory, new Dictionary<string, string>(), "backup");
        SpinWait.SpinUntil(() => File.Exists(Path.Combine(app.Directory, ".lifeboat", "lock.json")), TimeSpan.FromSeconds(20));

        ProgramRun second = LifeboatProgram.Run(app.Directory, "backup");

        Assert.True(second.ExitStatus == 11, second.All);
        Assert.Contains(first.Id.ToString(CultureInfo.InvariantCulture), second.Errors, StringComparison.Ordinal);
        first.Kill();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(app.Files, "huge"));
        ProgramRun third = LifeboatProgram.Run(app.Directory, "backup");
        Assert.True(third.ExitStatus == 0, third.All);
    }

    [Fact]
    public void A_full_disk_is_a_clear_error_and_leaves_no_bundle()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        LifeboatProgram.Shell(app.Directory, "head -c 60M /dev/urandom > filestore/incompressible; mkdir -p backups; mount -t tmpfs -o size=40m tmpfs backups");
        try
        {
            ProgramRun run = LifeboatProgram.Run(app.Directory, "backup");
            Assert.True(run.ExitStatus == 1, run.All);
            Assert.Contains("HINT:", run.Errors, StringComparison.Ordinal);
            Assert.Matches("LB7003|LB8002", run.Errors);
            Assert.Empty(Directory.GetFiles(app.Store));
        }
        finally
        {
            LifeboatProgram.Shell(app.Directory, "umount backups");
        }
    }

    [Fact]
    public void A_full_disk_while_staging_leaves_the_live_data_alone()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        LifeboatProgram.Shell(app.Directory, "head -c 30M /dev/urandom > filestore/incompressible");
        Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        string mount = folder["small"];
        LifeboatProgram.Shell(folder.Path, $"mkdir {mount}; mount -t tmpfs -o size=20m tmpfs {mount}; mkdir {mount}/files; echo live > {mount}/files/live");
        try
        {
            ProgramRun run = LifeboatProgram.Run(app.Directory, "restore", "latest", "--yes", "--only", "filestore", "--target", $"filestore={mount}/files");
            Assert.True(run.ExitStatus == 1, run.All);
            Assert.Equal("files\n", LifeboatProgram.Shell(mount, "ls -A"));
            Assert.Equal("live\n", File.ReadAllText($"{mount}/files/live"));
        }
        finally
        {
            LifeboatProgram.Shell(folder.Path, $"umount {mount}");
        }
    }

    [Fact]
    public void A_wrong_password_exits_12_and_damage_exits_4()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        string bundle = Assert.Single(app.Bundles);

        Dictionary<string, string> wrong = new() { ["LIFEBOAT_PASSWORD"] = "wrong" };
        Assert.Equal(12, LifeboatProgram.Run(folder.Path, wrong, "verify", bundle).ExitStatus);
        Assert.Equal(12, LifeboatProgram.Run(folder.Path, wrong, "restore", bundle, "--yes", "--target", $"filestore={folder["x"]}", "--only", "filestore").ExitStatus);
        Assert.Equal(12, LifeboatProgram.Run(folder.Path, "show", bundle).ExitStatus);

        byte[] bytes = File.ReadAllBytes(bundle);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(bundle, bytes);
        ProgramRun damaged = LifeboatProgram.Run(app.Directory, "verify", "latest");
        Assert.True(damaged.ExitStatus == 4, damaged.All);
        Assert.Equal(4, LifeboatProgram.Run(app.Directory, "restore", "latest", "--yes").ExitStatus);
        Assert.Empty(Directory.GetFileSystemEntries(app.Directory, "*__staging_*"));

        File.WriteAllBytes(bundle, bytes[..(bytes.Length / 3)]);
        Assert.Equal(4, LifeboatProgram.Run(app.Directory, "verify", "latest").ExitStatus);
    }

    [Theory]
    [InlineData("restore nothing-of-that-name --yes", 10)]
    [InlineData("show 1999", 10)]
    [InlineData("backup --only nosuch", 2)]
    [InlineData("bakup", 2)]
    [InlineData("backup --frobnicate", 2)]
    [InlineData("list -c /no/such/lifeboat.yaml", 2)]
    [InlineData("restore latest", 2)]
    public void Mistakes_on_the_command_line_have_their_exit_status_and_a_hint(string arguments, int exit)
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        if (arguments == "restore latest")
            Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        ProgramRun run = LifeboatProgram.Run(app.Directory, arguments.Split(' '));
        Assert.True(run.ExitStatus == exit, run.All);
        Assert.Contains("HINT:", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unencrypted_bundle_is_warned_about()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false, encryption: "none");
        ProgramRun run = LifeboatProgram.Run(app.Directory, "backup");
        Assert.True(run.ExitStatus == 3, run.All);
        Assert.Contains("LB8004", run.Errors, StringComparison.Ordinal);
        ProgramRun verified = LifeboatProgram.Run(app.Directory, "verify", "latest");
        Assert.True(verified.ExitStatus == 0, verified.All);
    }

    /// <summary>A process that keeps a write transaction open on a SQLite database.</summary>
    public static Process HoldSqlite(string file)
    {
        Process holder = Process.Start(new ProcessStartInfo("sqlite3", [file]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        holder.StandardInput.WriteLine("BEGIN IMMEDIATE; UPDATE account SET balance = balance; SELECT 'held';");
        holder.StandardInput.Flush();
        Assert.Equal("held", holder.StandardOutput.ReadLine());
        return holder;
    }
}
