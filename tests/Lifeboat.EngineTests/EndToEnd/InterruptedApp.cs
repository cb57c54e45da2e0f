using Lifeboat.EngineTests.Sources.Postgres;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>
/// A small app with a database server and every kind of local source, with two states: the snapshot's, and the one that is live before a restore. Its program can be
/// ended at any step of a restore.
/// </summary>
internal sealed class InterruptedApp
{
    private readonly IInterruptedServer _server;
    private readonly string _root;

    private InterruptedApp(IInterruptedServer server, string root)
    {
        _server = server;
        _root = root;
    }

    public string Directory => Path.Combine(_root, "app");

    /// <summary>What everything is before the restore, by what stock tools say.</summary>
    public string Old { get; private set; } = "";

    /// <summary>What everything is when the snapshot is restored.</summary>
    public string New { get; private set; } = "";

    private string OldSnapshot { get; set; } = "";

    private string NewSnapshot { get; set; } = "";

    /// <inheritdoc cref="Create(IInterruptedServer, string, bool)"/>
    public static InterruptedApp Create(PostgresServer server, string root, bool hooks) => Create(new InterruptedPostgres(server), root, hooks);

    /// <param name="hooks">Whether a hook is run before the commit point, and so the application let in before it.</param>
    public static InterruptedApp Create(IInterruptedServer server, string root, bool hooks)
    {
        InterruptedApp app = new(server, root);
        System.IO.Directory.CreateDirectory(root);
        // In the tree lies what is excluded, as a store may: whatever happens, it must be there, and be as it is.
        LifeboatProgram.Shell(
            root,
            """
            mkdir -p app/files/sub/vault 'app/files/an empty one' backups; ln -s sub app/files/link
            echo bundle > app/files/sub/vault/shop.zip; echo '{}' > app/files/sub/vault/shop.zip.metadata.json
            """);
        File.WriteAllText(Path.Combine(app.Directory, "lifeboat.yaml"), $$"""
            app: shop
            sources:
              {{string.Join("\n  ", server.Sources)}}
              state: {type: sqlite, path: state.db}
              filestore: {type: files, path: files, exclude: [sub/vault]}
              settings: {type: settings, files: [.env, other.ini]}
            stores:
              local: {path: ../backups}
            encryption: none
            {{(hooks ? "hooks: {after_commit: [\"true\"]}" : "")}}
            """);
        server.MakeNew(app.Directory);
        app.Fill("new");
        app.NewSnapshot = app.BackUp();
        server.MakeOld(app.Directory);
        app.Fill("old");
        app.OldSnapshot = app.BackUp();
        // As a restore leaves it: SQLite's own backup sets a counter in the file's header.
        app.RestoreOld();
        app.Old = app.Look();
        app.Restore();
        LifeboatProgram.Shell(app.Directory, "test ! -e .lifeboat/*.journal");
        app.New = app.Look();
        Assert.NotEqual(app.Old, app.New);
        app.BringBackOld();
        return app;
    }

    /// <summary>How long the program waits for a server that is away.</summary>
    public string PatienceSeconds { get; set; } = "60";

    /// <summary>How many sources it has.</summary>
    public int Sources => _server.Sources.Count + 3;

    public string FirstItem() => _server.FirstItem();

    /// <summary>What restores the new state.</summary>
    public string[] RestoreArguments => ["restore", NewSnapshot, "--yes", "--json"];

    /// <summary>Runs the program; stops it at a step.</summary>
    /// <param name="stop">Such as <c>kill-before:7</c>.</param>
    public ProgramRun Run(string stop, params string[] arguments) => Run(stop, "", arguments);

    /// <inheritdoc cref="Run(string, string[])"/>
    /// <param name="command">What <c>run-before:7</c> runs.</param>
    public ProgramRun Run(string stop, string command, string[] arguments) => LifeboatProgram.RunProgram(
        Program, Directory,
        new Dictionary<string, string> { ["LIFEBOAT_STOP"] = stop, ["LIFEBOAT_RUN"] = command, ["LIFEBOAT_WAIT"] = PatienceSeconds, ["LIFEBOAT_STEPS"] = Path.Combine(_root, "..", "steps-of-" + Path.GetFileName(_root)) }, arguments);

    /// <summary>The steps of the runs since the last call.</summary>
    public string[] TakeSteps()
    {
        string file = Path.Combine(_root, "..", "steps-of-" + Path.GetFileName(_root));
        string[] steps = File.Exists(file) ? File.ReadAllLines(file) : [];
        File.Delete(file);
        return steps;
    }

    public ProgramRun RestoreNew(string stop) => Run(stop, RestoreArguments);

    /// <summary>The whole app as it is: rows, definitions, roles, files with their traits; also every name that a restore might have left.</summary>
    public string Look()
    {
        string files = LifeboatProgram.Shell(
            Directory,
            """
            find . -path ./.lifeboat -prune -o -printf '%p %y %m %U:%G %T@ %l\n' | LC_ALL=C sort
            find . -path ./.lifeboat -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
            find .lifeboat -name '*.journal'
            """);
        // The app's folder itself changes with every name that comes and goes in it.
        files = string.Join('\n', files.Split('\n').Where(static line => !line.StartsWith(". d ", StringComparison.Ordinal)));
        return files + _server.Look();
    }

    /// <summary>Makes the old state live again, and removes what is kept.</summary>
    public void BringBackOld()
    {
        RestoreOld();
        Assert.Equal(Old, Look());
        TakeSteps();
    }

    public void Discard()
    {
        ProgramRun discard = Run("never:0", "discard", "--yes", "-q");
        Assert.True(discard.ExitStatus is 0 or 3, discard.All);
    }

    public static void AssertSame(string expected, string actual, string where)
    {
        if (expected != actual)
            Assert.Fail($"{where}\n{Difference(expected, actual)}");
    }

    private static string Difference(string expected, string actual)
    {
        string[] before = expected.Split('\n'), after = actual.Split('\n');
        return string.Join('\n', before.Except(after).Select(static line => "- " + line).Concat(after.Except(before).Select(static line => "+ " + line)).Take(40));
    }

    public static string Program => Path.Combine(
        AppContext.BaseDirectory, "../../../../Lifeboat.Interrupted", Path.GetRelativePath(Path.Combine(AppContext.BaseDirectory, "../../.."), AppContext.BaseDirectory), "Lifeboat.Interrupted");

    private void Restore()
    {
        ProgramRun restore = RestoreNew("never:0");
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        Discard();
    }

    private void RestoreOld()
    {
        ProgramRun restore = Run("never:0", "restore", OldSnapshot, "--yes", "-q");
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        Discard();
        _server.ForgetNew();
    }

    private string BackUp()
    {
        ProgramRun backup = Run("never:0", "backup", "--json");
        Assert.True(backup.ExitStatus == 3, backup.All); // not encrypted
        return backup.Messages[^1].GetProperty("bundle_path").GetString()!;
    }

    private void Fill(string state) => LifeboatProgram.Shell(
        Directory,
        $"""
        rm -f state.db; sqlite3 state.db "CREATE TABLE note (id integer PRIMARY KEY, text); INSERT INTO note VALUES (1, '{state}')"
        echo {state} > files/a; echo {state} > files/sub/b; echo {state} > files/{state}; echo KEY={state} > .env; echo "[{state}]" > other.ini
        find files state.db .env other.ini -exec touch -h -d '2026-01-02 03:04:05' '{"{}"}' +
        """);
}
