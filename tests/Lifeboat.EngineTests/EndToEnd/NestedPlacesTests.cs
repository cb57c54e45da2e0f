using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Stores, caches and sources that lie in the folder of a `files` source: a restore of that source leaves them where they are.</summary>
public sealed class NestedPlacesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Root => _folder.Path;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bundles_in_an_excluded_store_outlive_restore_undo_and_discard()
    {
        Write("files: {type: files, path: app, exclude: [backups, cache, run.sock]}", "local: {path: app/backups}");
        LifeboatProgram.Shell(Root, "mkdir -p app/cache app/deep; echo old > app/a; echo old > app/deep/b; echo hot > app/cache/c");
        Backup();
        LifeboatProgram.Shell(Root, "echo new > app/a; echo new > app/deep/b; echo new > app/new; echo warm > app/cache/c");
        string before = Look("app");
        string inode = LifeboatProgram.Shell(Root, "stat -c %i app/backups app/cache/c app/backups/*.zip");

        ProgramRun plan = Run("restore", "latest", "--dry-run");
        Assert.Contains("backups, cache", plan.Output, StringComparison.Ordinal);
        Succeed("restore", "latest", "--yes");
        Assert.Equal("old", LifeboatProgram.Shell(Root, "cat app/a").Trim());
        Assert.Equal("warm", LifeboatProgram.Shell(Root, "cat app/cache/c").Trim());
        Assert.Equal(inode, LifeboatProgram.Shell(Root, "stat -c %i app/backups app/cache/c app/backups/*.zip"));
        Assert.Equal("", LifeboatProgram.Shell(Root, "ls -d app__before_*/backups app__before_*/cache 2>/dev/null || true"));
        Assert.DoesNotContain("app/new", Look("app"), StringComparison.Ordinal);

        Succeed("undo", "--yes");
        Assert.Equal(before, Look("app"));
        Succeed("undo", "--yes");
        Succeed("discard", "--yes");
        Assert.Single(Bundles("app/backups"));
        Succeed("verify", "latest");
        Assert.Equal("", LifeboatProgram.Shell(Root, "ls -d app__* app/.lifeboat_* 2>/dev/null || true"));
    }

    [Theory]
    [InlineData("settings: {type: settings, files: [app/.env]}", "", true)]
    [InlineData("settings: {type: settings, files: [app/.env]}", ", exclude: [.env]", false)]
    [InlineData("state: {type: sqlite, path: app/data/s.db}", "", false)]
    [InlineData("state: {type: sqlite, path: app/data/s.db}", ", exclude: [data]", false)]
    [InlineData("state: {type: sqlite, path: app/data/s.db}", ", exclude: [data/s.db]", true)]
    [InlineData("up: {type: files, path: app/uploads/all}", "", true)]
    [InlineData("up: {type: files, path: app/uploads/all, exclude: ['*.tmp']}", ", exclude: ['**/*.tmp']", false)]
    public void A_source_in_another_ones_folder_is_restored_with_it_and_undone(string inner, string exclude, bool outerFirst)
    {
        string outer = $"all: {{type: files, path: app{exclude}}}";
        Write(outerFirst ? $"{outer}\n  {inner}" : $"{inner}\n  {outer}", "local: {path: store}");
        Fill("old");
        Backup();
        string old = Look("app");
        Fill("new");
        LifeboatProgram.Shell(Root, "echo hot > app/uploads/all/x.tmp");
        string live = Look("app");

        Succeed("restore", "latest", "--yes");
        AssertSame(old, Look("app"));
        Succeed("undo", "--yes");
        AssertSame(live, Look("app"));
        Succeed("undo", "--yes");
        AssertSame(old, Look("app"));
        Succeed("discard", "--yes");
        Assert.Equal("", Remains());

        LifeboatProgram.Shell(Root, "rm -rf app");
        Succeed("restore", "latest", "--yes");
        AssertSame(old, Look("app"));
        Succeed("discard", "--yes");
        Assert.Equal("", Remains());
    }

    [Fact]
    public void A_files_source_around_everything_takes_neither_store_nor_state_and_leaves_the_app_file()
    {
        Write("all: {type: files, path: ., exclude: [b]}\n  up: {type: files, path: up}", "local: {path: b}");
        LifeboatProgram.Shell(Root, "mkdir up; echo 1 > up/a; echo 1 > top");
        Backup();
        LifeboatProgram.Shell(Root, "echo 2 > up/a; echo 2 > top; echo '# newer' >> lifeboat.yaml");
        Succeed("restore", "latest", "--yes");
        Assert.Equal("1\n1\n", LifeboatProgram.Shell(Root, "cat up/a top"));
        Assert.Contains("# newer", File.ReadAllText(Path.Combine(Root, "lifeboat.yaml")), StringComparison.Ordinal);
        Succeed("undo", "--yes");
        Assert.Equal("2\n2\n", LifeboatProgram.Shell(Root, "cat up/a top"));
        Succeed("discard", "--yes");
        string manifest = LifeboatProgram.Shell(Root, "unzip -p b/*.zip files/all.mtree");
        Assert.DoesNotContain("./up", manifest, StringComparison.Ordinal);
        Assert.DoesNotContain(".lifeboat", manifest, StringComparison.Ordinal);
        LifeboatProgram.Shell(Root, $"rm -rf ../{Path.GetFileName(Root)}__*");
    }

    [Fact]
    public void A_store_behind_a_symbolic_link_is_found_in_the_folder_that_it_leads_to()
    {
        LifeboatProgram.Shell(Root, "mkdir -p uploads/backups; ln -s uploads/backups bk; echo a > uploads/a");
        Write("f: {type: files, path: uploads}", "l: {path: bk}");
        ProgramRun refused = Run("backup");
        Assert.Equal(2, refused.ExitStatus);
        Assert.Contains("lifeboat.yaml:5", refused.All, StringComparison.Ordinal);
        Assert.Contains("exclude: [\"backups\"]", refused.All, StringComparison.Ordinal);

        Write("f: {type: files, path: uploads, exclude: [backups]}", "l: {path: bk}");
        Backup();
        LifeboatProgram.Shell(Root, "echo b > uploads/a");
        Succeed("restore", "latest", "--yes");
        Succeed("discard", "--yes");
        Assert.Single(Bundles("uploads/backups"));
    }

    [Fact]
    public void A_store_that_is_mounted_into_the_folder_is_not_captured_and_stays()
    {
        LifeboatProgram.Shell(Root, "mkdir -p uploads/bk store; echo a > uploads/a");
        Mount("store", "uploads/bk");
        try
        {
            Write("f: {type: files, path: uploads}", "l: {path: store}");
            Backup();
            Backup();
            Assert.Equal("", LifeboatProgram.Shell(Root, "for b in store/*.zip; do unzip -l $b | grep bk/ || true; done"));
            LifeboatProgram.Shell(Root, "echo b > uploads/a");
            Succeed("restore", "latest", "--yes");
            Assert.Equal("a", LifeboatProgram.Shell(Root, "cat uploads/a").Trim());
            Succeed("undo", "--yes");
            Succeed("discard", "--yes");
            Assert.Equal(2, Bundles("uploads/bk").Length);
        }
        finally
        {
            LifeboatProgram.Shell(Root, "umount uploads/bk");
        }
    }

    [Fact]
    public void An_excluded_mount_point_stays_and_one_that_is_not_excluded_stops_the_restore()
    {
        LifeboatProgram.Shell(Root, "mkdir -p app/mnt other; echo a > app/a; echo kept > other/o");
        Mount("other", "app/mnt");
        try
        {
            Write("f: {type: files, path: app, exclude: [mnt]}", "l: {path: store}");
            Backup();
            LifeboatProgram.Shell(Root, "echo b > app/a");
            Succeed("restore", "latest", "--yes");
            Assert.Equal("a\nkept\n", LifeboatProgram.Shell(Root, "cat app/a app/mnt/o"));
            Succeed("discard", "--yes");
            Write("f: {type: files, path: app}", "l: {path: store}");
            ProgramRun refused = Run("restore", "latest", "--yes");
            Assert.Equal(1, refused.ExitStatus);
            Assert.Contains("app/mnt", refused.All, StringComparison.Ordinal);
        }
        finally
        {
            LifeboatProgram.Shell(Root, "umount app/mnt");
        }
    }

    [Theory]
    [InlineData("mkdir $K/old; echo zip > $K/old/x.zip; echo '{}' > $K/old/x.zip.metadata.json", "a bundle")]
    [InlineData("mkdir $K/.lifeboat; echo '{}' > $K/.lifeboat/abcdefghij.journal", "journal")]
    [InlineData("echo 'app: other' > $K/lifeboat.yaml", "an app file")]
    [InlineData("mkdir $K/s; mv store/* $K/s/; rmdir store; ln -s $(cd $K; pwd)/s store", "store l")]
    public void What_may_be_nowhere_else_stops_a_discard(string put, string what)
    {
        Write("f: {type: files, path: app}", "l: {path: store}");
        LifeboatProgram.Shell(Root, "mkdir app; echo a > app/a");
        Backup();
        Succeed("restore", "latest", "--yes");
        LifeboatProgram.Shell(Root, $"K=$(echo app__before_*); {put}");
        string kept = Look("app__before_*");
        ProgramRun discard = Run("discard", "--yes");
        Assert.Equal(1, discard.ExitStatus);
        Assert.Contains("LB8026", discard.All, StringComparison.Ordinal);
        Assert.Contains(what, discard.All, StringComparison.Ordinal);
        Assert.Equal(kept, Look("app__before_*"));
        Succeed("undo", "--yes");
    }

    [Fact]
    public void A_part_that_holds_the_store_is_not_replaced_as_a_whole()
    {
        Write("f: {type: files, path: app, exclude: [sub/backups]}", "l: {path: app/sub/backups}");
        LifeboatProgram.Shell(Root, "mkdir -p app/sub; echo a > app/sub/a");
        Backup();
        LifeboatProgram.Shell(Root, "echo b > app/sub/a");
        ProgramRun refused = Run("restore", "latest", "--only", "f/sub", "--yes");
        Assert.Equal(1, refused.ExitStatus);
        Assert.Contains("LB8025", refused.All, StringComparison.Ordinal);
        Succeed("restore", "latest", "--only", "f/sub/*", "--yes");
        Assert.Equal("a", LifeboatProgram.Shell(Root, "cat app/sub/a").Trim());
        Succeed("discard", "--yes");
        Assert.Single(Bundles("app/sub/backups"));
    }

    [Fact]
    public void What_was_excluded_after_the_backup_stays_as_it_is_and_is_told()
    {
        Write("f: {type: files, path: app}", "l: {path: store}");
        LifeboatProgram.Shell(Root, "mkdir -p app/cache; echo old > app/cache/c; echo old > app/a");
        Backup();
        Write("f: {type: files, path: app, exclude: [cache]}", "l: {path: store}");
        LifeboatProgram.Shell(Root, "echo new > app/cache/c; echo new > app/a");
        ProgramRun restore = Run("restore", "latest", "--yes");
        Assert.Equal(3, restore.ExitStatus);
        Assert.Contains("LB5013", restore.All, StringComparison.Ordinal);
        Assert.Equal("new\nold\n", LifeboatProgram.Shell(Root, "cat app/cache/c app/a"));
        Assert.Equal("", LifeboatProgram.Shell(Root, "ls -d *_moving 2>/dev/null || true"));
        // What the restore kept is never lost, also where an undo finds its place taken.
        Write("f: {type: files, path: app}", "l: {path: store}");
        LifeboatProgram.Shell(Root, "mkdir app/late; echo mine > app/late/x");
        Succeed("undo", "--yes");
        Write("f: {type: files, path: app, exclude: [late]}", "l: {path: store}");
        LifeboatProgram.Shell(Root, "mkdir app/late; echo other > app/late/x");
        Succeed("undo", "--yes");
        Assert.Equal("other\n", LifeboatProgram.Shell(Root, "cat app/late/x"));
        Assert.Equal("mine\n", LifeboatProgram.Shell(Root, "cat app__before_*/late/x"));
        Succeed("discard", "--yes");
    }

    /// <summary>Mounts a folder once more, which only root may, and not in every container.</summary>
    private void Mount(string from, string to)
    {
        ProgramRun mount = LifeboatProgram.Tool(Root, "mount", "--bind", from, to);
        if (mount.ExitStatus != 0)
            Assert.Skip($"nothing can be mounted here: {mount.All}");
    }

    /// <summary>All is the same but what is kept, and the files that are left out on purpose.</summary>
    private static void AssertSame(string expected, string actual)
    {
        static string compared(string text) => string.Join('\n', text.Split('\n').Where(static line => !line.Contains("__before_", StringComparison.Ordinal) && !line.Contains(".tmp", StringComparison.Ordinal)));
        Assert.Equal(compared(expected), compared(actual));
    }

    private string Remains() => LifeboatProgram.Shell(Root, "find . -name '*__*' -o -name '.lifeboat_*'");

    private void Fill(string state) => LifeboatProgram.Shell(
        Root,
        $"""
        mkdir -p app/data app/uploads/all app/sub; rm -f app/data/s.db
        sqlite3 app/data/s.db "CREATE TABLE t (x); INSERT INTO t VALUES ('{state}')"
        echo {state} > app/a; echo {state} > app/.env; echo {state} > app/uploads/all/u; echo {state} > app/uploads/beside; echo {state} > app/sub/{state}
        """);

    /// <summary>All files with their contents; of a database its rows, because SQLite's own backup sets a counter in the file.</summary>
    private string Look(string what) => LifeboatProgram.Shell(
        Root,
        $"""
        find {what} -name backups -prune -o -printf '%p %y %m %U:%G %l\n' | LC_ALL=C sort
        find {what} -name backups -prune -o -type f ! -name 's.db*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        if [ -e app/data/s.db ]; then sqlite3 app/data/s.db .dump; fi
        """);

    private string[] Bundles(string folder) => Directory.GetFiles(Path.Combine(Root, folder), "*.zip");

    private void Write(string sources, string stores) => File.WriteAllText(
        Path.Combine(Root, "lifeboat.yaml"), $"app: nest\nsources:\n  {sources}\nstores:\n  {stores}\nencryption: none\ncompression: deflate\n");

    private void Backup()
    {
        ProgramRun run = Run("backup", "-q");
        Assert.True(run.ExitStatus == 3, run.All); // it is not encrypted
    }

    private void Succeed(params string[] arguments)
    {
        ProgramRun run = Run(arguments);
        Assert.True(run.ExitStatus == 0, $"{string.Join(' ', arguments)}: {run.ExitStatus}\n{run.All}");
    }

    private ProgramRun Run(params string[] arguments) => LifeboatProgram.Run(Root, arguments);
}
