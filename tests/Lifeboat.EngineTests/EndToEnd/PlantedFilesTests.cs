using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Files that somebody else put where root's Lifeboat looks for its own: nothing in them is run, resolved, followed or removed.</summary>
public sealed class PlantedFilesTests
{
    private const string AppFile = """
        app: shop
        sources:
          files: {type: files, path: live}
        stores:
          local: {path: backups}
        encryption: none
        """;

    public static TheoryData<string> Commands => ["list", "doctor", "backup", "restore --status", "verify latest", "show latest", "undo --yes", "discard --yes"];

    [Theory]
    [MemberData(nameof(Commands))]
    public void No_command_takes_the_app_file_of_another_user_from_a_folder_above(string command)
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["lifeboat.yaml"], AppFile.Replace("none", $$"""{password: "command:touch {{folder["ran"]}}"}""", StringComparison.Ordinal));
        LifeboatProgram.Shell(folder.Path, "chmod 1777 .; chown nobody lifeboat.yaml; mkdir -p work/deep live");

        ProgramRun run = LifeboatProgram.Run(folder["work/deep"], command.Split(' '));

        Assert.True(run.ExitStatus == 1, run.All);
        Assert.Contains("LB1008", run.Errors, StringComparison.Ordinal);
        Assert.Contains("belongs to user nobody", run.Errors.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.False(File.Exists(folder["ran"]));
    }

    [Theory]
    [InlineData("chown nobody .lifeboat")]
    [InlineData("chmod 777 .lifeboat")]
    [InlineData("chown nobody .lifeboat/aaaaaaaaaa.journal")]
    [InlineData("chmod 666 .lifeboat/aaaaaaaaaa.journal")]
    [InlineData("mv .lifeboat elsewhere; ln -s elsewhere .lifeboat; chown -h nobody .lifeboat")]
    [InlineData("mv .lifeboat/aaaaaaaaaa.journal real; ln -s ../real .lifeboat/aaaaaaaaaa.journal")]
    public void No_command_takes_a_journal_that_another_user_can_have_written(string script)
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        Create(folder);
        WriteJournal(folder, folder["victim/x"], "important", committed: true);
        LifeboatProgram.Shell(folder.Path, "mkdir -p victim/important; " + script);

        foreach (string command in new[] { "restore --status", "backup", "discard --yes", "undo --yes" })
        {
            ProgramRun run = LifeboatProgram.Run(folder.Path, command.Split(' '));
            Assert.True(run.ExitStatus == 1, run.All);
            Assert.Contains("LB1008", run.Errors, StringComparison.Ordinal);
        }

        Assert.True(Directory.Exists(folder["victim/important"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_journal_that_names_what_is_not_its_sources_deletes_and_renames_nothing(bool committed)
    {
        using TemporaryFolder folder = new();
        Create(folder);
        WriteJournal(folder, folder["victim/x"], "important", committed);
        LifeboatProgram.Shell(folder.Path, "mkdir -p victim/important; echo data > victim/important/file");

        foreach (string command in new[] { "undo --yes", "discard --yes", "discard --yes", "backup" })
        {
            ProgramRun run = LifeboatProgram.Run(folder.Path, command.Split(' '));
            Assert.True(run.ExitStatus == 1 || (committed && command == "backup" && run.ExitStatus == 3), run.All);
            if (!committed || command != "backup") // a backup has nothing to do with what a finished restore keeps
                Assert.Contains("none of this source's names", run.All.ReplaceLineEndings(" "), StringComparison.Ordinal);
        }

        Assert.Equal("victim\nvictim/important\nvictim/important/file\n", LifeboatProgram.Shell(folder.Path, "find victim | sort"));
    }

    [Fact]
    public void A_reference_to_a_secret_is_not_taken_from_a_journal_but_is_from_the_command_line()
    {
        using TemporaryFolder folder = new();
        string target = $"command:sh -c 'touch {folder["ran"]}; echo postgresql://127.0.0.1:1/x'";
        Create(folder);
        WriteJournal(folder, "/nowhere", "x__before_a", committed: true);
        string journal = folder[".lifeboat/aaaaaaaaaa.journal"];
        File.WriteAllText(journal, File.ReadAllText(journal).Split('\n')[0].Replace("\"files\",\"type\":\"files\",\"target\":null", $"\"main\",\"type\":\"postgres\",\"target\":\"{target}\"", StringComparison.Ordinal) + "\n"
            + """{"step":"Record","at":"2026-12-01T00:00:01+00:00","source":"main","record":{"live":"x","incoming":null,"outgoing":"x__before_aaaaaaaaaa","maintenance_database":"postgres","incoming_made":{"roles":[],"given":[],"tablespaces":[]},"outgoing_made":{"roles":[],"given":[],"tablespaces":[]}}}""" + "\n"
            + """{"step":"Committed","at":"2026-12-01T00:00:02+00:00"}""" + "\n" + """{"step":"Finished","at":"2026-12-01T00:00:03+00:00"}""" + "\n");
        Assert.Contains("command:", File.ReadAllText(journal), StringComparison.Ordinal);
        string[][] commands = [["restore", "--status"], ["undo", "--yes"], ["backup"], ["doctor"], ["discard", "--yes"]];
        foreach (bool isNamed in new[] { true, false })
        {
            if (!isNamed)
                LifeboatProgram.Shell(folder.Path, "rm lifeboat.yaml"); // then the journal is all that there is
            else
                LifeboatProgram.Shell(folder.Path, "sed -i 's|^sources:|sources:\\n  main: {type: postgres, url: \"postgresql://127.0.0.1:1/x\"}|' lifeboat.yaml");
            foreach (string[] command in commands)
                LifeboatProgram.Run(folder.Path, command);
            Assert.False(File.Exists(folder["ran"]));
        }

        ProgramRun run = LifeboatProgram.Run(folder.Path, "restore", "--status", "--target", $"main={target}");
        Assert.True(File.Exists(folder["ran"]), run.All);
    }

    [Theory]
    [InlineData("lock.json")]
    [InlineData("lock")]
    public void A_link_in_the_place_of_a_lock_is_not_written_through(string name)
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        Create(folder);
        LifeboatProgram.Shell(folder.Path, $"mkdir .lifeboat; echo important > target; ln -s ../target .lifeboat/{name}; ln -s ../made .lifeboat/other");

        ProgramRun run = LifeboatProgram.Run(folder.Path, "backup");

        Assert.True(run.ExitStatus == 1, run.All);
        Assert.Contains("LB1008", run.Errors, StringComparison.Ordinal);
        Assert.Equal("important\n", File.ReadAllText(folder["target"]));
    }

    [Fact]
    public void A_restore_beside_a_state_folder_of_another_user_keeps_its_state_elsewhere()
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        Create(folder);
        Assert.Equal(3, LifeboatProgram.Run(folder.Path, "backup").ExitStatus);
        LifeboatProgram.Shell(folder.Path, "mkdir -p given/.lifeboat home target; mv backups/*.zip given/b.zip; ln -s ../../target/made given/.lifeboat/lock; chown -h -R nobody given/.lifeboat");
        Dictionary<string, string> home = new() { ["HOME"] = folder["home"] };

        ProgramRun run = LifeboatProgram.Run(folder["given"], home, "-c", "../none.yaml", "restore", "b.zip", "--yes");
        Assert.Equal(2, run.ExitStatus);
        run = LifeboatProgram.Run("/", home, "restore", folder["given/b.zip"], "--target", $"files={folder["target/files"]}", "--yes", "--trust");

        Assert.True(run.ExitStatus is 0 or 3, run.All);
        Assert.Equal("content\n", File.ReadAllText(folder["target/files/a"]));
        Assert.False(File.Exists(folder["target/made"]));
        Assert.True(Directory.Exists(folder["home/.local/state/lifeboat/.lifeboat"]));
    }

    [Fact]
    public void The_app_file_of_an_unpacked_snapshot_is_never_taken()
    {
        using TemporaryFolder folder = new();
        Create(folder);
        Assert.Equal(3, LifeboatProgram.Run(folder.Path, "backup").ExitStatus);
        LifeboatProgram.Shell(folder.Path, "mkdir -p elsewhere/unpacked/files/deep; cd elsewhere/unpacked; cp ../../lifeboat.yaml files/; cp ../../lifeboat.yaml .; touch metadata.json checksums.sha256");

        foreach (string place in new[] { "elsewhere/unpacked", "elsewhere/unpacked/files/deep" })
        {
            ProgramRun named = LifeboatProgram.Run(folder[place], "-c", folder["elsewhere/unpacked/files/lifeboat.yaml"], "list");
            Assert.True(named.ExitStatus == 2, named.All);
            Assert.Contains("LB1009", named.Errors, StringComparison.Ordinal);
            ProgramRun found = LifeboatProgram.Run(folder[place], "--json", "list");
            Assert.True(found.ExitStatus == 0, found.All);
            Assert.Contains(folder["backups"], found.Output, StringComparison.Ordinal); // those of the app above
        }
    }

    [Theory]
    [InlineData("000")]
    [InlineData("022")]
    [InlineData("077")]
    public void What_Lifeboat_makes_for_itself_is_its_owners_alone_whatever_the_umask(string umask)
    {
        using TemporaryFolder folder = new();
        Create(folder);
        string program = $"'{LifeboatProgram.Path}'";

        LifeboatProgram.Shell(
            folder.Path,
            $"""
            umask {umask}; mkdir tmp; export TMPDIR=$PWD/tmp
            {program} backup || test $? = 3
            echo changed > live/a
            {program} restore latest --yes || test $? = 3
            """);

        string wrong = LifeboatProgram.Shell(folder.Path, "find .lifeboat backups tmp -mindepth 0 ! -path tmp \\( -type d ! -perm 700 -o -type f ! -perm 600 \\) -printf '%m %p\\n'");
        Assert.Equal("", wrong);
        Assert.NotEmpty(Directory.GetFiles(folder[".lifeboat/evidence"]));
        Assert.NotEmpty(Directory.GetFiles(folder[".lifeboat"], "*.journal"));
    }

    [Fact]
    public void A_state_folder_that_was_open_to_readers_is_closed()
    {
        using TemporaryFolder folder = new();
        Create(folder);
        LifeboatProgram.Shell(folder.Path, "mkdir -m 755 .lifeboat; touch .lifeboat/lock; chmod 644 .lifeboat/lock");

        Assert.Equal(3, LifeboatProgram.Run(folder.Path, "backup").ExitStatus);

        Assert.Equal("700 600\n", LifeboatProgram.Shell(folder.Path, "stat -c %a .lifeboat .lifeboat/lock | paste -sd ' '"));
    }

    private static void Create(TemporaryFolder folder)
    {
        File.WriteAllText(folder["lifeboat.yaml"], AppFile);
        LifeboatProgram.Shell(folder.Path, "chmod 644 lifeboat.yaml; mkdir live; echo content > live/a");
    }

    /// <summary>A journal as a restore leaves it, of something else than what the app file names.</summary>
    internal static void WriteJournal(TemporaryFolder folder, string path, string outgoing, bool committed)
    {
        string[] lines =
        [
            """{"step":"Restore","at":"2026-12-01T00:00:00+00:00","header":{"version":1,"id":"aaaaaaaaaa","app":"shop","snapshot":"s","lifeboat_version":"0.1.0","undoes":null,"sources":[{"name":"files","type":"files","target":null}]}}""",
            $$$"""{"step":"Record","at":"2026-12-01T00:00:01+00:00","source":"files","record":{"paths":[{"path":"{{{path}}}","incoming":null,"outgoing":"{{{outgoing}}}","replaces":true,"inside":false,"created_folders":[],"root":null}],"side_suffixes":[]}}""",
            .. committed ? (string[])["""{"step":"Committed","at":"2026-12-01T00:00:02+00:00"}""", """{"step":"Finished","at":"2026-12-01T00:00:03+00:00"}"""] : [],
        ];
        Directory.CreateDirectory(folder[".lifeboat"]);
        File.WriteAllText(folder[".lifeboat/aaaaaaaaaa.journal"], string.Join('\n', lines) + "\n");
        LifeboatProgram.Shell(folder.Path, "chmod 700 .lifeboat; chmod 600 .lifeboat/*.journal");
    }
}
