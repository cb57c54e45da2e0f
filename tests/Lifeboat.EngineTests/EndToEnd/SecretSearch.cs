using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Looks for bytes in a bundle: in the file as it lies there, and in every file that is unpacked from it.</summary>
public static class SecretSearch
{
    /// <summary>The texts that are anywhere in an unencrypted bundle or in the metadata beside it.</summary>
    public static IReadOnlyList<string> FoundIn(string bundle, params IEnumerable<string> texts)
    {
        using TemporaryFolder folder = new();
        LifeboatProgram.Shell(folder.Path, $"7zz x -bd -osnapshot '{bundle}' >/dev/null && cp '{bundle}' '{Path.GetDirectoryName(bundle)}'/*.json .");
        List<string> found = [];
        foreach (string text in texts)
        {
            File.WriteAllText(folder["pattern"], text);
            string files = LifeboatProgram.Shell(folder.Path, "grep -rlaF --exclude=pattern -f pattern . || [ $? = 1 ]");
            if (files.Length > 0)
                found.Add(text);
        }

        return found;
    }
}
