using System.CommandLine;
using Lifeboat.Engine.Apps;

namespace Lifeboat.Commands;

/// <summary><c>--target SOURCE=URL|PATH</c>, which may be given several times.</summary>
internal sealed class TargetOption
{
    /// <param name="description">What the places are for.</param>
    public TargetOption(string description)
    {
        Option = new Option<string[]>("--target") { Description = description + "; may be given several times", HelpName = "SOURCE=URL|PATH" };
        Option.Validators.Add(static result =>
        {
            // Not quoted in the message: a URL may hold a password.
            if (result.Tokens.Any(static token => token.Value.IndexOf('=', StringComparison.Ordinal) < 1 || token.Value.EndsWith('=')))
                result.AddError("--target wants SOURCE=URL or SOURCE=PATH");
            if (result.Tokens.GroupBy(static token => token.Value.Split('=')[0], StringComparer.Ordinal)
                .Any(static group => group.Count() > 1))
                result.AddError("--target names a source twice");
        });
    }

    public Option<string[]> Option { get; }

    /// <summary>For commands that go on with a restore: a reference to a secret is not taken from its journal.</summary>
    public static TargetOption Again() => new("The target that a restore was given, where that was a reference to a secret (env:NAME)");

    /// <summary>Targets by source; a path is taken from the working directory.</summary>
    public Dictionary<string, string> Read(ParseResult parsed, CommandRun run)
    {
        Dictionary<string, string> targets = new(StringComparer.Ordinal);
        foreach (string target in parsed.GetValue(Option) ?? [])
        {
            int equals = target.IndexOf('=', StringComparison.Ordinal);
            string place = target[(equals + 1)..];
            bool isWhole = place.Contains("://", StringComparison.Ordinal) || SecretReference.IsMeant(place);
            targets[target[..equals]] = isWhole ? place : run.Absolute(place);
        }

        return targets;
    }
}
