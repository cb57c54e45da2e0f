using System.CommandLine;
using System.Text.Json;
using Lifeboat.Commands;
using Lifeboat.Engine.Errors;
using Lifeboat.Tests.Output;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("bakcup", "unknown command \"bakcup\"", "did you mean `backup`?")]
    [InlineData("backup --outptu x.zip", "unknown option \"--outptu\"", "did you mean `--output`?")]
    [InlineData("backup --output=", "--output", "see `lifeboat backup --help`")]
    [InlineData("list --jsno", "unknown option \"--jsno\"", "did you mean `--json`?")]
    [InlineData("list --limit 0", "--limit wants a number of at least 1", "see `lifeboat list --help`")]
    [InlineData("list --limit many", "--limit wants a number of at least 1", "see `lifeboat list --help`")]
    [InlineData("show", "required argument \"SNAPSHOT\"", "see `lifeboat show --help`")]
    [InlineData("verify a b", "unknown argument \"b\"", "see `lifeboat verify --help`")]
    [InlineData("backup -q -v", "-q and -v contradict each other", "see `lifeboat backup --help`")]
    [InlineData("restore latest --target main", "--target wants SOURCE=URL or SOURCE=PATH", "see `lifeboat restore --help`")]
    [InlineData("restore latest --target =x", "--target wants SOURCE=URL or SOURCE=PATH", "see `lifeboat restore --help`")]
    [InlineData("restore latest --only /a", "--only wants SOURCE or SOURCE/PART, not /a", "see `lifeboat restore --help`")]
    [InlineData("restore latest --only a/", "--only wants SOURCE or SOURCE/PART, not a/", "see `lifeboat restore --help`")]
    [InlineData("restore latest --merge --beside --only a/b", "--merge and --beside contradict each other", "see `lifeboat restore --help`")]
    [InlineData("restore latest --beside --only a", "--beside wants parts: --only SOURCE/SCHEMA.TABLE", "see `lifeboat restore --help`")]
    [InlineData("restore latest --beside", "--beside wants parts: --only SOURCE/SCHEMA.TABLE", "see `lifeboat restore --help`")]
    [InlineData("restore latest --target a=x --target a=y", "--target names a source twice", "see `lifeboat restore --help`")]
    public void A_wrong_command_line_exits_2_and_says_what_was_meant(string line, string message, string hint)
    {
        ProgramFixture program = new();
        Assert.Equal(ExitStatus.Usage, program.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal("", program.Out);
        Assert.StartsWith("error LB0003: ", program.Error, StringComparison.Ordinal);
        Assert.Contains(message, program.Error, StringComparison.Ordinal);
        Assert.Contains("HINT: " + (hint.StartsWith("did", StringComparison.Ordinal) ? hint : ""), program.Error, StringComparison.Ordinal);
        Assert.Contains(hint, program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_alone_shows_the_help_and_exits_2()
    {
        ProgramFixture program = new();
        Assert.Equal(ExitStatus.Usage, program.Run());
        Assert.Contains("lifeboat demo", program.Out, StringComparison.Ordinal);
        Assert.Equal("", program.Error);
    }

    [Fact]
    public void A_wrong_command_line_with_json_gives_json()
    {
        ProgramFixture program = new();
        Assert.Equal(ExitStatus.Usage, program.Run("list", "--nonsense", "--json"));
        JsonElement error = JsonDocument.Parse(program.Out).RootElement;
        Assert.Equal("error", error.GetProperty("message_type").GetString());
        Assert.Equal("LB0003", error.GetProperty("code").GetString());
        Assert.Equal(2, error.GetProperty("exit_status").GetInt32());
    }

    [Theory]
    [InlineData("backup", "postgresql://u:topsecret@h/d")]
    [InlineData("restore", "latest", "--target", "postgresql://u:topsecret@h/d")]
    [InlineData("restore", "latest", "--only", "x", "extra", "password=topsecret")]
    public void A_password_on_a_wrong_command_line_is_not_repeated(params string[] arguments)
    {
        ProgramFixture program = new();
        Assert.Equal(ExitStatus.Usage, program.Run(arguments));
        Assert.DoesNotContain("topsecret", program.Out + program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Restoring_without_a_terminal_wants_yes()
    {
        ProgramFixture program = new();
        Assert.Equal(ExitStatus.Usage, program.Run("restore", "latest"));
        Assert.Contains("--yes", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Restoring_with_json_wants_yes_even_on_a_terminal()
    {
        ProgramFixture program = new(terminal: true);
        Assert.Equal(ExitStatus.Usage, program.Run("restore", "latest", "--json"));
    }

    [Fact]
    public void Without_an_app_file_a_command_that_needs_one_exits_2()
    {
        using TemporaryFolder folder = new();
        ProgramFixture program = new(workingDirectory: folder.Path);
        Assert.Equal(ExitStatus.Usage, program.Run("backup"));
        Assert.Contains("LB1001", program.Error, StringComparison.Ordinal);
        Assert.Contains("lifeboat init", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_named_by_an_at_sign_is_not_read_as_arguments()
    {
        ProgramFixture program = new();
        Assert.Equal(ExitStatus.Usage, program.Run("list", "@/etc/hostname"));
        Assert.Contains("unknown argument \"@/etc/hostname\"", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_version_is_one_line()
    {
        ProgramFixture program = new();
        Assert.Equal(ExitStatus.Done, program.Run("--version"));
        Assert.Equal("lifeboat 1.2.3\n", program.Out);
    }

    [Fact]
    public void Every_command_has_help_with_examples_that_parse()
    {
        RootCommand root = CommandTree.Create(new ProgramFixture().Host);
        Assert.Equal(
            ["init", "doctor", "backup", "list", "show", "verify", "restore", "undo", "discard", "demo"], root.Subcommands
                .Select(static command => command.Name));
        foreach (Verb verb in root.Subcommands.Cast<Verb>())
        {
            ProgramFixture program = new();
            Assert.Equal(ExitStatus.Done, program.Run(verb.Name, "--help"));
            Assert.Contains("Examples:\n  lifeboat ", program.Out, StringComparison.Ordinal);
            Assert.NotEmpty(verb.Examples);
            Assert.All(verb.Examples, example =>
            {
                ParseResult parsed = root.Parse(example.Split(' ')[1..]);
                Assert.Empty(parsed.Errors);
                Assert.Equal(verb.Name, parsed.CommandResult.Command.Name);
            });
        }
    }

    [Fact]
    public async Task A_full_disk_behind_standard_output_is_an_error()
    {
        using TemporaryFolder folder = new();
        using FullDisk full = new();
        ProgramFixture program = new(workingDirectory: folder.Path, output: full);
        int exit = await CommandRun.ExecuteAsync(
            program.Host,
            new SharedValues(null, Json: false, Quiet: false, Verbose: false),
            isLong: false,
            static (run, _) =>
            {
                run.Output.Say("something");
                return Task.FromResult(ExitStatus.Done);
            },
            TestContext.Current.CancellationToken);
        Assert.Equal((int)ExitStatus.Failed, exit);
        Assert.Contains("LB0004", program.Error, StringComparison.Ordinal);
    }

    private sealed class FullDisk : StringWriter
    {
        public override void Write(string? value) => throw new IOException("No space left on device", 28);
    }
}
