namespace Lifeboat.Tests.Shared;

/// <summary>An empty folder that goes away with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("lifeboat-test-").FullName;

    public string Path { get; }

    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A server that is still stopping may hold it; the system cleans its temporary folder.
        }
        catch (UnauthorizedAccessException)
        {
            // Files of another user.
        }
    }
}
