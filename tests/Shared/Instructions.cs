using System.Text.RegularExpressions;

namespace Lifeboat.Tests.Shared;

/// <summary>What a person pastes from <c>restore_instructions.md</c>.</summary>
public static class Instructions
{
    /// <summary>All command blocks, in their order.</summary>
    public static string Commands(string markdown) => string.Concat(
        Regex.Matches(markdown, "^```sh\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline).Select(static match => match.Groups[1].Value));

    /// <summary>Chooses a place that the document leaves to the person, by the value of a shell variable that it sets.</summary>
    public static string Choose(this string commands, string variable, string value)
    {
        Regex assignment = new($"(?m)(?<=^|^export |^export .* ){variable}=(\"[^\"\n]*\"|[^ \n]*)");
        Assert.Single(assignment.Matches(commands));
        return assignment.Replace(commands, $"{variable}='{value}'");
    }
}
