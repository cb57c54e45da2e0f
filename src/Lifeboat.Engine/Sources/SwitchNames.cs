using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources;

/// <summary>
/// What a journal may name. It says what is renamed and removed, so a record is only taken where it names what a restore of this source, in the place that the
/// app file or the restore's target gives it, would have named: <c>LIVE__staging_ID</c> and <c>LIVE__before_ID</c>, and nothing else.
/// </summary>
internal static partial class SwitchNames
{
    /// <summary>Fails unless one name is that of what some restore keeps, and the other of what it staged or of what an earlier one kept.</summary>
    /// <param name="incoming">Null where nothing comes in.</param>
    /// <param name="staging">The name of what a restore stages, by its id.</param>
    /// <param name="before">The name of what a restore keeps, by its id.</param>
    /// <exception cref="LifeboatException">They are not.</exception>
    public static void Require(string source, string? incoming, string outgoing, Func<string, string> staging, Func<string, string> before)
    {
        string? id = IdOf(outgoing, before) ?? throw Foreign(source, outgoing);
        if (incoming is not null && incoming != staging(id) && IdOf(incoming, before) is null)
            throw Foreign(source, incoming);
    }

    /// <summary>Whether a name is one that a restore gives, by its id behind a word.</summary>
    public static bool IsNamed(string name, string word, Func<string, string> form)
    {
        int at = name.LastIndexOf(word, StringComparison.Ordinal);
        return at >= 0 && IsId(name[(at + word.Length)..]) && form(name[(at + word.Length)..]) == name;
    }

    /// <summary>Whether a restore's id could stand in a name.</summary>
    public static bool IsId(string id) => Id().IsMatch(id);

    private static string? IdOf(string name, Func<string, string> before) =>
        Kept().Match(name) is { Success: true } match && before(match.Groups[1].Value) == name ? match.Groups[1].Value : null;

    /// <summary>Fails where a record lacks what a restore writes; the reader of JSON leaves null there.</summary>
    /// <exception cref="LifeboatException">Something is null.</exception>
    public static void RequireWhole(string source, params object?[] parts)
    {
        if (parts.Contains(null))
            throw Foreign(source, "nothing where there is to be something");
    }

    /// <param name="what">What is named.</param>
    public static LifeboatException Foreign(string source, string what) => new(
        ErrorCodes.JournalDamaged, $"the journal's record of the switch of {source} names {what}, which is none of this source's names",
        "journals are not to be edited; where the source's place in the app file was changed since that restore, put it back until the restore is undone or discarded", source);

    [GeneratedRegex(@"before_([A-Za-z0-9]{1,32})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Kept();

    [GeneratedRegex(@"\A[A-Za-z0-9]{1,32}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();
}
