using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Commands;

/// <summary>The SNAPSHOT that several commands take.</summary>
internal static class SnapshotArgument
{
    public const string Words = "latest, an id or the start of one from `lifeboat list`, or a bundle's path";

    public static Argument<string> Create() => new("SNAPSHOT") { Description = Words };

    /// <summary>Finds it; a path that exists is taken from the working directory.</summary>
    /// <param name="only">The sources that the latest must have; empty for all of the app's.</param>
    public static Task<StoredSnapshot> FindAsync(string named, IReadOnlyList<string> only, App? app, CommandRun run, CancellationToken cancellation)
    {
        string path = run.Absolute(named);
        bool isPath = File.Exists(path) || named.Contains('/', StringComparison.Ordinal) || named.Contains('\\', StringComparison.Ordinal);
        return new StoreCatalog(app, run.Context).FindAsync(isPath ? path : named, only, cancellation);
    }
}
