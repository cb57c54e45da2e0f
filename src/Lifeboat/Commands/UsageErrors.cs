using System.CommandLine;
using Lifeboat.Engine.Errors;
using Lifeboat.Output;

namespace Lifeboat.Commands;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class UsageErrors
{
    public static ExitStatus Report(ParseResult parsed, IReadOnlyList<string> arguments, ProgramHost host)
    {
        SharedValues shared = new(null, arguments.Contains("--json"), false, false);
        Streams streams = new(host);
        using IRunOutput output = shared.Json
            ? new JsonOutput(host, streams, lines: false, quiet: true, verbose: false)
            : new TextOutput(host, streams, quiet: true, verbose: false);
        output.Fail(Problems(parsed), ExitStatus.Usage);
        return ExitStatus.Usage;
    }

    private static Problem[] Problems(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string help = command is RootCommand ? "see `lifeboat --help`, or watch `lifeboat demo`" : $"see `lifeboat {command.Name} --help`";
        if (parsed.UnmatchedTokens.Count > 0)
            return [.. parsed.UnmatchedTokens.Select(token => Unknown(token, command, help))];
        return [.. parsed.Errors.Select(static error => error.Message).Distinct(StringComparer.Ordinal).Select(
            message => new Problem(ErrorCodes.Usage, Lower(message), help))];
    }

    private static Problem Unknown(string token, Command command, string help)
    {
        bool option = token.StartsWith('-');
        string kind = option ? "option" : command is RootCommand ? "command" : "argument";
        string? meant = Nearest(option ? token.Split('=')[0] : token, Candidates(command, option));
        string hint = meant is null ? help : $"did you mean `{meant}`? {help}";
        return new Problem(ErrorCodes.Usage, $"unknown {kind} \"{token}\"", hint);
    }

    private static IEnumerable<string> Candidates(Command command, bool option)
    {
        if (!option)
            return command.Subcommands.Select(static verb => verb.Name);
        IEnumerable<Option> inherited = command.Parents.OfType<Command>().SelectMany(static parent => parent.Options)
            .Where(static o => o.Recursive);
        return command.Options.Concat(inherited).SelectMany(static o => o.Aliases.Prepend(o.Name));
    }

    private static string? Nearest(string token, IEnumerable<string> candidates)
    {
        (string name, int distance) = candidates
            .Select(name => (name, Distance(token, name)))
            .DefaultIfEmpty(("", int.MaxValue))
            .MinBy(static pair => pair.Item2);
        return distance <= Math.Max(1, token.Length / 3) ? name : null;
    }

    /// <summary>How many letters must be added, removed, replaced or swapped with their neighbour.</summary>
    private static int Distance(string from, string to)
    {
        int[][] steps = [.. Enumerable.Range(0, from.Length + 1).Select(i => new int[to.Length + 1])];
        for (int i = 0; i <= from.Length; i++)
            steps[i][0] = i;
        for (int j = 0; j <= to.Length; j++)
            steps[0][j] = j;
        for (int i = 1; i <= from.Length; i++)
        {
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = steps[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                steps[i][j] = Math.Min(replaced, Math.Min(steps[i - 1][j], steps[i][j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    steps[i][j] = Math.Min(steps[i][j], steps[i - 2][j - 2] + 1);
            }
        }

        return steps[from.Length][to.Length];
    }

    private static string Lower(string message)
    {
        string text = message.TrimEnd('.').Replace('\'', '"');
        return text.Length > 1 && char.IsUpper(text[0]) && char.IsLower(text[1]) ? char.ToLowerInvariant(text[0]) + text[1..] : text;
    }
}
