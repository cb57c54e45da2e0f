using Lifeboat.Engine.Apps;

namespace Lifeboat.Tests.Apps;

public sealed class ReferencesKeyTests
{
    private const string Sources = """
        app: shop
        sources:
          main: {type: postgres, url: "postgresql:///shop", stall_limit: 2m}
          crm: {type: mysql, url: "mysql://root@localhost/crm"}
          db: {type: sqlite, path: app.db}
          filestore: {type: files, path: f}
        stores: {local: {path: b}}
        encryption: none

        """;

    [Fact]
    public void References_and_the_limit_of_silence_arrive()
    {
        App app = AppFileText.Load(Sources + """
            references:
              - {column: main/public.ir_attachment.store_fname, files: filestore}
              - {column: 'db/"odd.table".path', files: filestore}
            """);

        Assert.Equal(["main", "db"], app.References.Select(static one => one.Database));
        Assert.Equal(["public", "ir_attachment", "store_fname"], app.References[0].Column);
        Assert.Equal(["odd.table", "path"], app.References[1].Column);
        Assert.All(app.References, static one => Assert.Equal("filestore", one.Files));
        Assert.Equal(TimeSpan.FromMinutes(2), Assert.IsType<PostgresSettings>(app.Sources[0]).StallLimit);
        Assert.Equal(SourceSettings.DefaultStallLimit, Assert.IsType<MySqlSettings>(app.Sources[1]).StallLimit);
    }

    [Theory]
    [InlineData("[]", "a list of maps is wanted here")]
    [InlineData("filestore", "a list of maps is wanted here")]
    [InlineData("[{column: main/public.t.c}]", "the key `files` is missing")]
    [InlineData("[{column: public.t.c, files: filestore}]", "this is not the name of a source and a column")]
    [InlineData("[{column: no/public.t.c, files: filestore}]", "there is no source of the name before `/`")]
    [InlineData("[{column: filestore/public.t.c, files: filestore}]", "the source before `/` is no database")]
    [InlineData("[{column: main/t.c, files: filestore}]", "")]
    [InlineData("[{column: db/public.t.c, files: filestore}]", "")]
    [InlineData("[{column: main/public.t.c, files: nothing}]", "there is no source of this name")]
    [InlineData("[{column: main/public.t.c, files: crm}]", "the source is not of type `files`")]
    public void Mistakes_in_references_are_told(string references, string message) => Assert.Contains(
        message, Assert.Single(AppFileText.Problems($"{Sources}references: {references}\n")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("0m")]
    [InlineData("5")]
    [InlineData("soon")]
    public void A_limit_of_silence_that_is_none_is_a_mistake(string limit) =>
        Assert.NotEmpty(AppFileText.Problems(Sources.Replace("stall_limit: 2m", $"stall_limit: {limit}", StringComparison.Ordinal)));
}
