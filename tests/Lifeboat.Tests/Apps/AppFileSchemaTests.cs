using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Apps;

public sealed class AppFileSchemaTests
{
    /// <summary>To write the file anew: <c>LIFEBOAT_WRITE_SCHEMA=1 dotnet run --project tests/Lifeboat.Tests -- --filter-class '*AppFileSchemaTests'</c>.</summary>
    [Fact]
    public void The_published_schema_is_made_from_the_table_of_keys()
    {
        string published = Path.Combine(RepositoryRoot.Path, "docs", AppFileSchema.FileName);
        if (Environment.GetEnvironmentVariable("LIFEBOAT_WRITE_SCHEMA") == "1")
            File.WriteAllText(published, AppFileSchema.Text);
        Assert.True(
            File.Exists(published) && File.ReadAllText(published).ReplaceLineEndings("\n") == AppFileSchema.Text,
            $"docs/{AppFileSchema.FileName} is not what the table of keys gives; write it anew with LIFEBOAT_WRITE_SCHEMA=1 dotnet run --project tests/Lifeboat.Tests -- --filter-class '*AppFileSchemaTests'");
    }

    [Fact]
    public void The_docs_describe_every_key()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "app-file.md"));
        Assert.All(NamesOf(AppFileKeys.Root).Distinct(), name => Assert.Contains($"`{name}`", page));
    }

    private static IEnumerable<string> NamesOf(Shape shape) => shape switch
    {
        MapShape map => map.Keys.SelectMany(static key => NamesOf(key.Shape).Prepend(key.Name)),
        NamedMapShape named => NamesOf(named.Item),
        TypedMapShape typed => typed.Types.SelectMany(static type => NamesOf(type.Map).Prepend(type.Type)),
        WordOrMapShape either => NamesOf(either.Map).Prepend(either.Word),
        ChoiceShape choice => choice.Values,
        _ => [],
    };
}
