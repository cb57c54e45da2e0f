using System.Text.Json;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Stores that several apps and hosts use, clocks that ran ahead, and snapshots of some sources only.</summary>
public sealed class SharedStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Root => _folder.Path;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_removes_its_own_leftovers_and_others_only_when_nobody_writes_to_them_any_more()
    {
        App("shop", "shop");
        Backup("shop");
        string id = File.ReadAllText(Path.Combine(Root, "shop/.lifeboat/id")).Trim();
        string[] stay =
        [
            ".shop_eu_20261201_000000Z.zip.web.abcdefghij.17.qrstuvwxyz.partial", // an app whose name begins the same
            ".shop_20261201_000000Z_20261201_000000Z.zip.web.abcdefghij.17.qrstuvwxyz.partial", // an app called shop_20261201_000000Z
            $".shop_eu_20261201_000000Z.zip.web.{id}.17.qrstuvwxyz.partial", // another app of this folder
            ".shop_20261201_000000Z.zip.web.otherotherother.17.qrstuvwxyz.partial", // another host's
            ".shop_20261201_000000Z.zip.qrstuvwxyz.partial", // of a version that did not say whose
            ".shop_20261201.partial",
        ];
        string[] go = [$".shop_20261201_000000Z.zip.web-1.{id}.17.qrstuvwxyz.partial", ".shop_20261202_000000Z.zip.web.otherotherother.17.qrstuvwxyz.partial", ".shop_20261203_000000Z.zip.old.partial"];
        foreach (string name in stay.Concat(go))
            File.WriteAllText(Path.Combine(Root, "store", name), "");
        foreach (string name in go.Skip(1))
            File.SetLastWriteTimeUtc(Path.Combine(Root, "store", name), DateTime.UtcNow.AddDays(-8));
        Backup("shop");
        string[] left = [.. Directory.GetFiles(Path.Combine(Root, "store"), ".*").Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Assert.Equal(stay.Order(StringComparer.Ordinal), left);
    }

    [Fact]
    public void A_partial_file_says_whose_it_is()
    {
        App("shop", "shop");
        LifeboatProgram.Shell(Root, "head -c 60000000 /dev/urandom > shop/files/big");
        using System.Diagnostics.Process running = LifeboatProgram.Start(Path.Combine(Root, "shop"), new Dictionary<string, string>(), "backup");
        string[] found = [];
        while (found.Length == 0 && !running.HasExited)
            found = Directory.Exists(Path.Combine(Root, "store")) ? Directory.GetFiles(Path.Combine(Root, "store"), ".*.partial") : [];
        LifeboatProgram.Finish(running);
        string id = File.ReadAllText(Path.Combine(Root, "shop/.lifeboat/id")).Trim();
        Assert.Matches($@"^\.shop_\d{{8}}_\d{{6}}Z\.zip\.[A-Za-z0-9-]+\.{id}\.{running.Id}\.[a-z2-7]{{10}}\.partial$", Path.GetFileName(Assert.Single(found)));
    }

    [Fact]
    public void The_latest_is_of_this_installation_or_of_the_only_other_one()
    {
        App("a", "shop");
        App("b", "shop");
        Backup("a");
        LifeboatProgram.Shell(Root, "sleep 1.1");
        Backup("b");
        Succeed("a", "restore", "latest", "--yes");
        Assert.Equal("a", Content("a"));

        // An empty machine, with the app file alone: two installations are no choice, one is.
        App("c", "shop");
        ProgramRun unclear = Run("c", "restore", "latest", "--yes");
        Assert.Equal(10, unclear.ExitStatus);
        Assert.Contains("2 other installations", unclear.All, StringComparison.Ordinal);
        LifeboatProgram.Shell(Root, "rm store/*; rm -r c/files");
        Backup("a");
        Succeed("c", "restore", "latest", "--yes");
        Assert.Equal("a", Content("c"));
    }

    [Fact]
    public void A_snapshot_of_another_host_wants_to_be_named_or_trusted()
    {
        App("a", "shop");
        Backup("a");
        App("d", "shop");
        ProgramRun refused = OnHost("elsewhere", "d", "restore latest --yes");
        Assert.Equal(1, refused.ExitStatus);
        Assert.Contains("LB7005", refused.All, StringComparison.Ordinal);
        Assert.Equal("d", Content("d"));
        ProgramRun trusted = OnHost("elsewhere", "d", "restore latest --yes --trust -q");
        Assert.True(trusted.ExitStatus is 0 or 3, trusted.All);
        Assert.Equal("a", Content("d"));
        string id = Only("a").GetProperty("id").GetString()!;
        ProgramRun named = OnHost("elsewhere", "d", $"restore {id} --yes");
        Assert.Equal(0, named.ExitStatus);
        Assert.Contains($" on {Environment.MachineName}", named.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);

        // A name in the app file is what counts, whatever the machine is called.
        File.AppendAllText(Path.Combine(Root, "a/lifeboat.yaml"), "host: pinned\n");
        File.AppendAllText(Path.Combine(Root, "d/lifeboat.yaml"), "host: pinned\n");
        LifeboatProgram.Shell(Root, "rm store/*; echo pinned > a/files/x");
        Backup("a");
        ProgramRun pinned = OnHost("elsewhere", "d", "restore latest --yes -q");
        Assert.True(pinned.ExitStatus == 0, pinned.All);
        Assert.Equal("pinned", Content("d"));
    }

    [Fact]
    public void The_bundle_of_another_app_is_told()
    {
        App("oa", "oa");
        App("ob", "ob");
        Backup("oa");
        LifeboatProgram.Shell(Root, "echo mine > ob/files/x; cp store/oa_*.zip store/ob_20261101_000000Z.zip");
        ProgramRun named = Run("ob", "restore", "20261101_000000Z", "--yes", "--trust");
        Assert.Equal(3, named.ExitStatus);
        Assert.Contains("is of the app oa, not of ob", named.All, StringComparison.Ordinal);
        LifeboatProgram.Shell(Root, "echo mine > ob/files/x");
        ProgramRun latest = Run("ob", "restore", "latest", "--yes");
        Assert.Equal(1, latest.ExitStatus);
        Assert.Equal("mine", Content("ob"));
    }

    [Fact]
    public void What_is_dated_in_the_future_is_never_the_latest()
    {
        App("a", "shop");
        Backup("a");
        LifeboatProgram.Shell(Root, "echo new > a/files/x; cd store; for f in shop_*; do cp $f shop_20991231_000000Z${f#shop_????????_??????Z}; done");
        Assert.Contains("IN THE FUTURE", Run("a", "list").Output, StringComparison.Ordinal);
        Assert.Contains("LB7006", Run("a", "doctor").All, StringComparison.Ordinal);
        Assert.Contains("FUTURE", Run("a", "show", "20991231").Output, StringComparison.Ordinal);
        ProgramRun latest = Run("a", "restore", "latest", "--yes");
        Assert.Equal(3, latest.ExitStatus);
        Assert.Contains("LB7006", latest.All, StringComparison.Ordinal);
        Assert.DoesNotContain("from 2099", latest.Output, StringComparison.Ordinal);
        Assert.Equal("a", Content("a"));
        LifeboatProgram.Shell(Root, "rm store/shop_20[0-8]*");
        ProgramRun none = Run("a", "restore", "latest", "--yes");
        Assert.Equal(10, none.ExitStatus);
        Assert.Contains("in the future", none.All, StringComparison.Ordinal);
        ProgramRun named = Run("a", "restore", "20991231", "--yes");
        Assert.Equal(3, named.ExitStatus);
        Assert.Contains("LB7007", named.Errors, StringComparison.Ordinal); // it says itself when it was made
    }

    [Fact]
    public void A_partial_snapshot_says_so_and_is_the_latest_only_of_its_own_sources()
    {
        Directory.CreateDirectory(Path.Combine(Root, "p"));
        LifeboatProgram.Shell(Root, "mkdir p/a p/b; echo 1 > p/a/x; echo 1 > p/b/x");
        File.WriteAllText(Path.Combine(Root, "p/lifeboat.yaml"), "app: p\nsources: {a: {type: files, path: a}, b: {type: files, path: b}}\nstores: {l: {path: ../store}}\nencryption: none\n");
        Backup("p");
        LifeboatProgram.Shell(Root, "sleep 1.1; echo 2 > p/a/x; echo 2 > p/b/x");
        ProgramRun partial = Run("p", "backup", "--only", "a");
        Assert.Contains("PARTIAL: without b", partial.Output, StringComparison.Ordinal);
        Assert.Contains("PARTIAL (without b)", Run("p", "list").Output, StringComparison.Ordinal);
        JsonElement newest = Run("p", "list", "--json").Messages[0].GetProperty("snapshots")[0];
        Assert.Equal("b", Assert.Single(newest.GetProperty("sources_left_out").EnumerateArray().ToArray()).GetString());
        string id = newest.GetProperty("id").GetString()!;
        Assert.Contains("PARTIAL: without b", Run("p", "show", id).Output, StringComparison.Ordinal);
        Assert.Contains("PARTIAL: without b", Run("p", "verify", id).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("PARTIAL", Run("p", "show", "latest").Output, StringComparison.Ordinal);

        Succeed("p", "restore", "latest", "--only", "a", "--yes");
        Assert.Equal("2\n2\n", LifeboatProgram.Shell(Root, "cat p/a/x p/b/x"));
        LifeboatProgram.Shell(Root, "rm -r p/a p/b");
        Succeed("p", "restore", "latest", "--yes");
        Assert.Equal("1\n1\n", LifeboatProgram.Shell(Root, "cat p/a/x p/b/x"));
        LifeboatProgram.Shell(Root, $"find store -name '*.zip*' ! -name '*{id}*' -delete; rm -r p/a p/b");
        ProgramRun none = Run("p", "restore", "latest", "--yes");
        Assert.Equal(10, none.ExitStatus);
        Assert.Contains("partial", none.All, StringComparison.Ordinal);
        ProgramRun named = Run("p", "restore", id, "--yes");
        Assert.Equal(3, named.ExitStatus);
        Assert.Contains("LB8008", named.All, StringComparison.Ordinal);
    }

    private void App(string folder, string name)
    {
        Directory.CreateDirectory(Path.Combine(Root, folder, "files"));
        File.WriteAllText(Path.Combine(Root, folder, "files/x"), folder + "\n");
        File.WriteAllText(Path.Combine(Root, folder, "lifeboat.yaml"), $"app: {name}\nsources: {{f: {{type: files, path: files}}}}\nstores: {{l: {{path: ../store}}}}\nencryption: none\n");
    }

    private string Content(string folder) => File.ReadAllText(Path.Combine(Root, folder, "files/x")).Trim();

    private JsonElement Only(string folder) => Assert.Single(Run(folder, "list", "--json").Messages[0].GetProperty("snapshots").EnumerateArray().ToArray());

    private void Backup(string folder)
    {
        ProgramRun run = Run(folder, "backup", "-q");
        Assert.True(run.ExitStatus == 3, run.All); // it is not encrypted
    }

    private void Succeed(string folder, params string[] arguments)
    {
        ProgramRun run = Run(folder, arguments);
        Assert.True(run.ExitStatus == 0, $"{string.Join(' ', arguments)}: {run.ExitStatus}\n{run.All}");
    }

    private ProgramRun Run(string folder, params string[] arguments) => LifeboatProgram.Run(Path.Combine(Root, folder), arguments);

    /// <summary>Runs the program where the machine has another name, which only root can give it.</summary>
    private ProgramRun OnHost(string host, string folder, string arguments)
    {
        ProgramRun run = LifeboatProgram.Tool(
            Path.Combine(Root, folder), "unshare", "--uts", "bash", "-c", $"hostname {host} || exit 99; exec '{LifeboatProgram.Path}' {arguments}");
        if (run.ExitStatus == 99 || run.Errors.Contains("unshare failed", StringComparison.Ordinal))
            Assert.Skip($"the host's name cannot be changed here: {run.All}");
        return run;
    }
}
