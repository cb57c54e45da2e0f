using Lifeboat.Engine.Restore;
using Lifeboat.Output;

namespace Lifeboat.Commands;

/// <summary>Restores that were interrupted or keep a state, for people and as JSON.</summary>
internal static class PastRestoreText
{
    public static string What(PastRestore restore) => restore.Undoes is null
        ? $"the restore {restore.Id}{(restore.Snapshot is null ? "" : $" of {restore.Snapshot}")}"
        : $"the undo {restore.Id} of {restore.Undoes}";

    public static void Write(TextReport text, IReadOnlyList<PastRestore> restores)
    {
        foreach (PastRestore restore in restores)
        {
            string what = What(restore);
            text.Wrapped($"{char.ToUpperInvariant(what[0])}{what[1..]}, {Quantity.Time(restore.Began, text.Zone)}: {State(restore)}", 2);
            Write(text, restore.Kept);
        }
    }

    public static void Write(TextReport text, IReadOnlyList<KeptSource> kept)
    {
        foreach (KeptSource source in kept)
        {
            string size = source.State?.Bytes is { } bytes ? $" ({Quantity.Bytes(bytes)})" : "";
            text.Wrapped(source.State is { } state ? $"  {source.Source}: {state.Name}{size}" : $"  {source.Source}: cannot be looked at: {source.Problem!.Message}", 4);
        }
    }

    public static PastRestoreDocument Document(PastRestore restore) => new(
        restore.Id, restore.Undoes is null ? "restore" : "undo", restore.Undoes, restore.Snapshot, restore.Began, Name(restore.State), restore.Reached,
        Documents(restore.Kept));

    public static IReadOnlyList<KeptDocument> Documents(IReadOnlyList<KeptSource> kept) =>
        [.. kept.Where(static one => one.State is not null).Select(static one => new KeptDocument(one.Source, one.State!.Name, one.State.Bytes))];

    private static string Name(PastRestoreState state) => state switch
    {
        PastRestoreState.Interrupted => "interrupted",
        PastRestoreState.Running => "running",
        PastRestoreState.Committed => "committed",
        PastRestoreState.Kept => "kept",
        _ => "discarding",
    };

    private static string State(PastRestore restore) => restore.State switch
    {
        PastRestoreState.Interrupted => $"interrupted {restore.Reached}; the next backup, restore, undo or discard takes it back first",
        PastRestoreState.Running => $"under way in another process, {restore.Reached}",
        PastRestoreState.Committed => "interrupted behind its commit point; the next backup, restore, undo or discard brings it to its end",
        PastRestoreState.Kept => restore.Kept.Count == 0 ? "complete; it replaced nothing" : "complete; the state before it is kept",
        _ => "what it kept is being removed; the next command goes on with that",
    };
}
