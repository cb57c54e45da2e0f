namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Sample databases beside the repository; a test that uses them is skipped where they are absent.</summary>
internal static class SharedData
{
    /// <summary>The folder: <c>../shared/data</c>, or what <c>LIFEBOAT_TEST_DATA</c> names.</summary>
    public static string Folder()
    {
        if (Environment.GetEnvironmentVariable("LIFEBOAT_TEST_DATA") is { } given && File.Exists(Path.Combine(given, "sakila-mv-schema.sql")))
            return given;
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string data = Path.Combine(folder.FullName, "shared", "data");
            if (File.Exists(Path.Combine(data, "sakila-mv-schema.sql")))
                return data;
        }

        Assert.Skip("the sample databases are not there");
        return "";
    }
}
