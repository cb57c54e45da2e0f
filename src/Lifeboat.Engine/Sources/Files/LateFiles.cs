using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>
/// Looks again for files that rows name and the walk did not see: an application writes a row, then its file. What is there by now is captured with the folders that
/// lead to it.
/// </summary>
/// <param name="skip">Which paths are left out.</param>
/// <param name="capture">Captures one thing; null where it vanished.</param>
internal sealed class LateFiles(
    Folder root, RunContext run, ReferredFiles referred, Predicate<byte[]> skip, Func<TreeItem, CancellationToken, Task<ManifestEntry?>> capture)
{
    /// <summary>For how long files may come: as long as an application takes between a row and its file.</summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromMilliseconds(200);

    /// <summary>Gives what was captured, in the order of a walk.</summary>
    public async Task<IReadOnlyList<ManifestEntry>> TakeAsync(CancellationToken cancellation)
    {
        List<ManifestEntry> taken = [];
        await referred.FindAsync(cancellation);
        long since = run.Host.Time.GetTimestamp();
        while (referred.Count > 0)
        {
            foreach (byte[] path in referred.Missing)
                await TakeAsync(path, taken, cancellation);
            if (referred.Count == 0 || run.Host.Time.GetElapsedTime(since) > s_longestWait)
                break;
            await Task.Delay(s_betweenLooks, run.Host.Time, cancellation);
        }

        taken.Sort(static (one, other) => TreePath.Compare(one.Path, other.Path));
        return taken;
    }

    private async Task TakeAsync(byte[] path, List<ManifestEntry> taken, CancellationToken cancellation)
    {
        Folder folder = root.Share();
        try
        {
            byte[] at = TreePath.Root;
            foreach (byte[] name in NamesOf(path))
            {
                at = TreePath.Child(at, name);
                if (skip(at) || folder.Find(name) is not { } status)
                    return;
                bool isLast = at.Length == path.Length;
                if (!isLast && status.Kind != FileKind.Folder)
                    return;
                if (!referred.Has(at) && await capture(new TreeItem(folder, name, at, status), cancellation) is { } entry)
                {
                    taken.Add(entry);
                    referred.Captured(at);
                }

                if (isLast)
                    return;
                Folder below = folder.OpenFolder(name);
                folder.Dispose();
                folder = below;
            }
        }
        catch (FileFailure)
        {
            // It is going, or not to be read: looked for again, and told in the end.
        }
        finally
        {
            folder.Dispose();
        }
    }

    private static List<byte[]> NamesOf(byte[] path)
    {
        List<byte[]> names = [];
        foreach (Range range in path.AsSpan(2).Split((byte)'/'))
            names.Add(path[2..][range]);
        return names;
    }
}
