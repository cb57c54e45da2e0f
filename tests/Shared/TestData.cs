namespace Lifeboat.Tests.Shared;

/// <summary>
/// Sample databases, which are not part of the repository: in the folder that <c>LIFEBOAT_TEST_DATA</c> names, where all of them must be,
/// or else in <c>shared/data</c> beside the repository, where a stranger's clone has none.
/// </summary>
public static class TestData
{
    /// <summary>The path of one of them; skips the test where it is not.</summary>
    public static string Path(string name)
    {
        string? path = Find(name);
        Assert.SkipWhen(path is null, $"{name} is not here; LIFEBOAT_TEST_DATA may name its folder");
        return path!;
    }

    /// <summary>The path of one of them, or null where it is not.</summary>
    public static string? Find(string name)
    {
        string? folder = Environment.GetEnvironmentVariable("LIFEBOAT_TEST_DATA") is { Length: > 0 } named ? named : null;
        string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder ?? $"{RepositoryRoot.Path}/../shared/data", name));
        bool there = File.Exists(path);
        Assert.True(there || folder is null, $"LIFEBOAT_TEST_DATA names {folder}, which has no {name}");
        return there ? path : null;
    }
}
