using System.Reflection;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Output;

/// <summary>The registry of errors and the pages that describe it say the same.</summary>
public sealed partial class ErrorRegistryTests
{
    private static readonly ErrorCode[] Registry =
        [.. typeof(ErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(static field => field.GetValue(null))
            .OfType<ErrorCode>()];

    [Fact]
    public void Every_code_has_a_section_with_its_name_and_exit_status_and_every_section_a_code()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "errors.md"));
        IEnumerable<string> described = Section().Matches(page)
            .Select(static match => $"{match.Groups[1].Value} {match.Groups[2].Value} {match.Groups[3].Value}");
        IEnumerable<string> registered = Registry.Select(static code => $"{code.Id} {code.Name} {(int)code.Exit}");
        Assert.Equal(registered.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Codes_and_names_are_unique_and_well_formed()
    {
        Assert.NotEmpty(Registry);
        Assert.Equal(Registry.Length, Registry.DistinctBy(static code => code.Id).Count());
        Assert.Equal(Registry.Length, Registry.DistinctBy(static code => code.Name).Count());
        Assert.All(Registry, static code => Assert.Matches("^LB[0-9]{4}$", code.Id));
        Assert.All(Registry, static code => Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", code.Name));
        Assert.DoesNotContain(Registry, static code => code.Exit == ExitStatus.Done);
    }

    [Fact]
    public void Every_exit_status_is_in_its_page_and_no_other()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "exit-codes.md"));
        IEnumerable<int> described = Row().Matches(page).Select(static match => int.Parse(match.Groups[1].Value));
        Assert.Equal(Enum.GetValues<ExitStatus>().Select(static exit => (int)exit).Order(), described.Order());
    }

    // ## LB1234 some-name, then a line that begins with "Exit status 4"
    [GeneratedRegex(@"^## (LB\d{4}) ([a-z0-9-]+)\n\nExit status (\d+)\.", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Section();

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Row();
}
