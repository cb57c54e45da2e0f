using System.Globalization;
using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Files.Parts;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>
/// A file tree: contents, modes, owners, times, symbolic and hard links, fifos, empty folders, names in any bytes. Extended attributes
/// and ACLs are not carried, which a warning says; sockets and devices are named in warnings.
/// </summary>
public sealed class FilesSource(FilesSettings settings, RunContext run) : ISource
{
    private (long Bytes, long Entries)? _estimate;

    public string Name => settings.Name;

    /// <summary>What in the tree is not the source's.</summary>
    internal IReadOnlyList<ReservedPath> Reserved { get; init; } = [];

    public async Task<IReadOnlyList<Problem>> CheckAsync(CancellationToken cancellation)
    {
        try
        {
            return await Task.Run(() => Look(cancellation), cancellation);
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
    }

    public async Task<ICapture> OpenAsync(CancellationToken cancellation)
    {
        // A check has been here a moment ago as a rule; walking again would only hold up the other sources' cuts.
        if (_estimate is null && (await Task.Run(() => Look(cancellation), cancellation)).Where(static p => p.Code == ErrorCodes.RedactUnknown).ToArray() is { Length: > 0 } unknown)
            throw new LifeboatException(unknown);
        (long bytes, long entries) = _estimate.GetValueOrDefault();
        return new FilesCapture(settings, run, OpenRoot(), bytes, entries) { LeavesOut = LeavesOut() };
    }

    public IRestoration PrepareRestore(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore) =>
        new FilesRestoration(settings, run, snapshot, captured, restore) { Reserved = Reserved };

    public IRestoration PreparePart(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore) => scope.Mode == RestoreMode.Beside
        ? throw new LifeboatException(
            ErrorCodes.PartsUnsupported, "files have no place beside the live ones in which an application would look for them",
            $"restore them to another folder with `--target {Name}=…`", Name)
        : new PartRestoration(settings, run, snapshot, captured, scope, restore) { Reserved = Reserved };

    public ISwitch Resume(JsonElement record, RestoreRun restore) => PartSwitchRecord.Is(record)
        ? new PartSwitch(run, Name, restore, PartSwitchRecord.From(record, Name, Names))
        : new PathSwitch(run, Name, PathSwitchRecord.From(record, Name, Names, [])) { Staying = new StayingRules(settings.Exclude, Reserved, restore) };

    private PathNames Names => PathNames.Of(Name, settings.Path);

    /// <summary>Names at the root that earlier restores made there; they are not the application's.</summary>
    internal static bool IsOurs(byte[] path) => path.AsSpan().StartsWith("./.lifeboat_"u8) && TreePath.Depth(path) == 1;

    /// <summary>What the tree's snapshot does not have: what is excluded, what is not the source's, and what restores have put there.</summary>
    private Predicate<byte[]> LeavesOut()
    {
        ExcludeGlobs exclude = new(settings.Exclude);
        ReservedNames reserved = new(settings.Path, Reserved);
        return path => IsOurs(path) || exclude.Match(path) || reserved.Match(path, except: Reservation.AppFile);
    }

    private Folder OpenRoot()
    {
        try
        {
            return Folder.Open(settings.Path);
        }
        catch (IOException e)
        {
            throw new LifeboatException(
                ErrorCodes.FilesRootUnusable,
                FileFailure.TroubleOf(e) == FileTrouble.WrongKind ? $"{settings.Path} is not a folder" : e.Message,
                $"correct sources.{Name}.path, or run as a user who may read it",
                Name,
                e);
        }
    }

    private List<Problem> Look(CancellationToken cancellation)
    {
        using Folder root = OpenRoot();
        UnreadableFiles unreadable = new(Name);
        long bytes = 0;
        long entries = 0;
        long skipped = 0;
        UncarriedAttributes attributes = new(Name, root);
        RedactGlobs redact = new(Name, settings.Redact);
        bool mayReadAll = OperatingSystem.IsWindows() || UnixFolder.IsRoot;
        TreeWalk walk = new(root, LeavesOut(), (path, failure) =>
        {
            if (failure.Trouble != FileTrouble.Missing)
                unreadable.Add(path, failure.Message);
        });
        foreach (TreeItem item in walk.Items(cancellation))
        {
            entries++;
            redact.Match(item);
            bytes += item.Status.Kind == FileKind.Regular ? item.Status.Size : 0;
            if (!settings.IgnoresAttributes)
                attributes.Look(item);
            if (item.Status.Kind is FileKind.Socket or FileKind.Device)
                skipped++;
            else if (item.Status.Kind == FileKind.Regular && !mayReadAll && !item.Parent!.MayRead(item.Name))
                unreadable.Add(item.Path, $"no right to read {item.Parent.Describe(item.Name)}");
        }

        _estimate = (bytes, entries);
        List<Problem> problems = [.. unreadable.Problems, .. redact.Unused];
        if (skipped > 0)
            problems.Add(new Problem(
                ErrorCodes.FileSkipped,
                string.Create(CultureInfo.InvariantCulture, $"{skipped} sockets or devices in the tree cannot be captured"),
                "list them under exclude: so that it is known that they are left out",
                Name));
        if (attributes.Problem is { } leftOut)
            problems.Add(leftOut);
        return problems;
    }
}
