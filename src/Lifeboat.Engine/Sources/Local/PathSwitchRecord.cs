using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>The paths of one source that are switched together.</summary>
/// <param name="SideSuffixes">What may stand beside a path and belongs to it (SQLite's <c>-wal</c>).</param>
internal sealed record PathSwitchRecord(IReadOnlyList<PathExchange> Paths, IReadOnlyList<string> SideSuffixes)
{
    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, PathSwitchJson.Default.PathSwitchRecord);

    /// <param name="names">What it may name.</param>
    /// <exception cref="LifeboatException">The journal was altered.</exception>
    public static PathSwitchRecord From(JsonElement record, string source, PathNames names, IReadOnlyList<string> sideSuffixes)
    {
        PathSwitchRecord read = names.Require(SwitchRecords.Read(record, PathSwitchJson.Default.PathSwitchRecord, source), sideSuffixes);
        return read.Paths.All(static path => path.Staying?.IsInside != false)
            ? read
            : throw SwitchRecords.Altered("what stays is not inside of what is switched", source);
    }
}

/// <summary>One path that is exchanged for what stands beside it.</summary>
/// <param name="Path">The live path, absolute.</param>
/// <param name="Incoming">The name, in the same folder, of what becomes live; null where the path shall be empty.</param>
/// <param name="Outgoing">The name under which the live state is kept.</param>
/// <param name="Replaces">Whether there was something live.</param>
/// <param name="Inside">Whether the path cannot be renamed: then both names are inside of it, and what is in it is moved name by name.</param>
/// <param name="CreatedFolders">Folders above the path that had to be made, the uppermost first.</param>
/// <param name="Root">The live folder's own traits, where <paramref name="Inside"/>.</param>
internal sealed record PathExchange(
    string Path, string? Incoming, string Outgoing, bool Replaces, bool Inside, IReadOnlyList<string> CreatedFolders, CapturedTraits? Root)
{
    /// <summary>What stays where it is, so that what is in the path is exchanged name by name; null or without folders where all of it is renamed at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Staying? Staying { get; init; }

    /// <summary>Whether what comes in was kept by a restore, rather than built by one: then it is never thrown away.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IncomingIsKept { get; init; }

    /// <summary>Whether the folder itself stays, and what is in it is exchanged.</summary>
    [JsonIgnore]
    public bool IsInPlace => Inside || Staying is { Folders.Count: > 0 };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PathSwitchRecord))]
internal sealed partial class PathSwitchJson : JsonSerializerContext;
