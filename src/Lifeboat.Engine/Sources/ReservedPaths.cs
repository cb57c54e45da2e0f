using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Validation;

namespace Lifeboat.Engine.Sources;

/// <summary>Why something in a tree is not the tree's.</summary>
internal enum Reservation
{
    /// <summary>A store, or a bundle that is being restored.</summary>
    Bundles,

    /// <summary>Lock, journals and evidence.</summary>
    State,

    /// <summary>What all commands go by: it is captured with the tree that it lies in, but a restore does not change it.</summary>
    AppFile,

    /// <summary>What another source captures and restores.</summary>
    Source,
}

/// <summary>A path that belongs to something else than the tree in which it may lie.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="What">In words: <c>source state</c>, <c>store local</c>.</param>
/// <param name="SideSuffixes">What may stand beside the path and belongs to it.</param>
internal sealed record ReservedPath(Reservation Why, string Path, string What, IReadOnlyList<string> SideSuffixes);

/// <summary>What a tree must not take for its own: the app's stores, Lifeboat's state, the app file, and the places of the app's other sources.</summary>
internal static class ReservedPaths
{
    /// <param name="source">Whose tree it is; a source around it reserves nothing in it.</param>
    public static IReadOnlyList<ReservedPath> For(App app, SourceSettings source) =>
    [
        .. app.Stores.Select(static store => new ReservedPath(Reservation.Bundles, store.Path, $"store {store.Name}", [])),
        new(Reservation.State, app.StateDirectory, "Lifeboat's own state", []),
        .. app.File is null ? (ReservedPath[])[] : [new(Reservation.AppFile, app.File, "the app file", [])],
        .. app.Sources.Where(other => other.Name != source.Name).SelectMany(Of),
    ];

    /// <summary>The places of this machine in which a source's live state is.</summary>
    public static IReadOnlyList<ReservedPath> Of(SourceSettings source) => source switch
    {
        SqliteSettings sqlite => [new(Reservation.Source, sqlite.Path, $"source {source.Name}", Sqlite.SqliteRestoration.SideSuffixes)],
        ChromaSettings chroma => [new(Reservation.Source, chroma.Path, $"source {source.Name}", [])],
        FilesSettings files => [new(Reservation.Source, files.Path, $"source {source.Name}", [])],
        SettingsSettings settings => [.. settings.Files.Select(file => new ReservedPath(Reservation.Source, file, $"source {source.Name}", []))],
        _ => [],
    };

    /// <summary>Whether one source's place lies inside of another's.</summary>
    public static bool IsInside(SourceSettings inner, SourceSettings outer) => outer is FilesSettings or ChromaSettings
        && Of(outer) is [var around] && Of(inner).Any(place => AppPaths.Inside(AppPaths.Real(around.Path), AppPaths.Real(place.Path)) is not (null or "."));
}
