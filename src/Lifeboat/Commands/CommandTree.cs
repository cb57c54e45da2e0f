using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Lifeboat.Engine.Errors;
using Lifeboat.Output;

namespace Lifeboat.Commands;

/// <summary>All commands, and the way from a command line to one of them.</summary>
internal static class CommandTree
{
    /// <summary>Runs one command line.</summary>
    public static async Task<ExitStatus> RunAsync(IReadOnlyList<string> arguments, ProgramHost host, CancellationToken cancellation)
    {
        RootCommand root = Create(host);
        // Files named by @ would be read as arguments otherwise; no option of ours needs that.
        ParseResult parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (arguments.Count == 0)
        {
            // Who types the name alone wants to know what there is; but nothing was done, which a script must see.
            await root.Parse(["--help"]).InvokeAsync(Configuration(host), cancellation);
            return ExitStatus.Usage;
        }

        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
            return UsageErrors.Report(parsed, arguments, host);
        return (ExitStatus)await parsed.InvokeAsync(Configuration(host), cancellation);
    }

    internal static RootCommand Create(ProgramHost host)
    {
        SharedOptions shared = new();
        RootCommand root = new(
            "Lifeboat backs up a whole application into one encrypted bundle, restores all of it or nothing, and proves the restore.")
        {
            new InitCommand(host, shared),
            new DoctorCommand(host, shared),
            new BackupCommand(host, shared),
            new ListCommand(host, shared),
            new ShowCommand(host, shared),
            new VerifyCommand(host, shared),
            new RestoreCommand(host, shared),
            new UndoCommand(host, shared),
            new DiscardCommand(host, shared),
            new DemoCommand(host, shared),
        };
        shared.AddTo(root);
        foreach (Option option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction help } helpOption)
                helpOption.Action = new HelpWithExamples(help, host);
            else if (option is VersionOption version)
                version.Action = new VersionText(host);
        }

        return root;
    }

    private static InvocationConfiguration Configuration(ProgramHost host) => new()
    {
        Output = host.Out,
        Error = host.Error,
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null, // the entry point handles signals
    };

    private sealed class VersionText(ProgramHost host) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            host.Out.Write($"lifeboat {host.Environment.LifeboatVersion}\n");
            return (int)ExitStatus.Done;
        }
    }

    /// <summary>The library's help text, and the command's examples below it.</summary>
    private sealed class HelpWithExamples(HelpAction help, ProgramHost host) : SynchronousCommandLineAction
    {
        private static readonly string[] RootExamples =
        [
            "lifeboat demo                    watch an app being backed up, destroyed, restored and proven",
            "lifeboat init                    write lifeboat.yaml for the app in this folder",
            "lifeboat backup                  back it up",
            "lifeboat restore latest          restore the newest snapshot, after asking",
        ];

        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            help.MaxWidth = host.OutputIsTerminal ? host.Width() : 100;
            int exit = help.Invoke(parseResult);
            IReadOnlyList<string> examples = parseResult.CommandResult.Command is Verb verb ? verb.Examples : RootExamples;
            host.Out.Write("Examples:\n" + string.Concat(examples.Select(static example => $"  {example}\n")));
            if (parseResult.CommandResult.Command is not Verb)
                host.Out.Write("\nExit statuses are listed in docs/exit-codes.md, errors in docs/errors.md.\n");
            return exit;
        }
    }
}
