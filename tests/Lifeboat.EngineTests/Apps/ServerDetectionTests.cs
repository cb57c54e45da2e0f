using System.Diagnostics;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Detection;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Apps;

public sealed class ServerDetectionTests
{
    private const string Bin = "/usr/lib/postgresql/15/bin/";

    [Fact]
    public async Task A_local_server_is_suggested_with_its_databases()
    {
        if (!File.Exists(Bin + "initdb"))
        {
            if (Environment.GetEnvironmentVariable("CI") == "true")
                Assert.Fail("PostgreSQL 15 is not installed");
            Assert.Skip("PostgreSQL 15 is not installed");
        }

        using TemporaryFolder folder = new();
        string data = folder["data"];
        Directory.CreateDirectory(folder["app"]);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.Path, UnixFileMode.StickyBit | (UnixFileMode)0b111_111_111); // as /tmp
        await PostgresAsync(Bin + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync");
        await PostgresAsync(Bin + "pg_ctl", "-D", data, "-w", "-l", folder["log"], "-o", $"-k {folder.Path} -p 6543 -c listen_addresses=''", "start");
        try
        {
            await PostgresAsync(Bin + "psql", "-h", folder.Path, "-p", "6543", "-c", "CREATE DATABASE \"odd \"\"name\"");
            TestHost host = new(folder.Path);
            DetectionPlaces places = new() { OdooFiles = [], OdooData = [], PostgresSockets = [folder.Path] };

            // Whoever runs the tests is no role of the server: it listens, but does not let us in.
            InitResult refused = await new InitOperation(host.Context, places).RunAsync(folder["app"], TestContext.Current.CancellationToken);
            string text = await File.ReadAllTextAsync(refused.AppFile, TestContext.Current.CancellationToken);
            Assert.Contains($"# a PostgreSQL server listens in {folder.Path} on port 6543", text);
            Assert.Contains("via: [runuser, -u, postgres, --]", text);

            await PostgresAsync(Bin + "createuser", "-h", folder.Path, "-p", "6543", Environment.UserName);
            Directory.CreateDirectory(folder["again"]);
            InitResult open = await new InitOperation(host.Context, places).RunAsync(folder["again"], TestContext.Current.CancellationToken);
            text = await File.ReadAllTextAsync(open.AppFile, TestContext.Current.CancellationToken);
            string line = text.Split('\n').Single(static l => l.Contains("odd--name", StringComparison.Ordinal)).TrimStart(' ', '#');

            // The suggested line is a source as it stands.
            await File.WriteAllTextAsync(folder["again/lifeboat.yaml"], $"app: a\nsources:\n  {line}\nstores: {{s: {{path: b}}}}\nencryption: none\n", TestContext.Current.CancellationToken);
            App app = await AppFile.LoadAsync(folder["again/lifeboat.yaml"], TestTrust.Files, TestContext.Current.CancellationToken);
            string url = Assert.IsType<PostgresSettings>(Assert.Single(app.Sources)).Url!;
            Assert.Equal("odd \"name", (await RunAsync("psql", "-XAt", "-d", url, "-c", "SELECT current_database()")).Trim());
        }
        finally
        {
            await PostgresAsync(Bin + "pg_ctl", "-D", data, "-m", "immediate", "stop");
        }
    }

    private static Task<string> PostgresAsync(params string[] command) => RunAsync("runuser", ["-u", "postgres", "--", .. command]);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        string output = arguments.Contains("start") ? "" : await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
