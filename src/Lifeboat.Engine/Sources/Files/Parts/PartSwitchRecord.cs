using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>The paths of one tree that are switched one by one, while the rest of it stays.</summary>
/// <param name="Root">The live folder, absolute.</param>
/// <param name="Inside">Whether the folders of what comes and of what is kept are in the live one; else they are beside it.</param>
/// <param name="Incoming">The name of the folder in which what becomes live is, each under its path.</param>
/// <param name="Outgoing">The name of the folder in which what was live is kept, each under its path; it is there only if something is.</param>
/// <param name="Parts">None is inside another.</param>
/// <param name="Folders">The live folders that the parts are in.</param>
/// <param name="StagedAt">When what comes in was made; null where it was live before.</param>
internal sealed record PartSwitchRecord(
    string Root, bool Inside, string Incoming, string Outgoing, IReadOnlyList<PartPath> Parts, IReadOnlyList<PartFolder> Folders, DateTimeOffset? StagedAt)
{
    public static bool Is(JsonElement record) => record.ValueKind == JsonValueKind.Object && record.TryGetProperty("parts", out _);

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, PartSwitchJson.Default.PartSwitchRecord);

    /// <param name="names">What it may name.</param>
    public static PartSwitchRecord From(JsonElement record, string source, PathNames names)
    {
        PartSwitchRecord read = SwitchRecords.Read(record, PartSwitchJson.Default.PartSwitchRecord, source);
        names.RequirePlace(read.Root);
        names.RequireNames(read.Root, read.Inside, read.Incoming, read.Outgoing);
        byte[]? foreign = read.Parts.Select(static part => part.Path).FirstOrDefault(static path => TreePath.IsRoot(path) || !TreePath.IsInside(path))
            ?? read.Folders.Select(static folder => folder.Path).FirstOrDefault(static path => !TreePath.IsInside(path));
        return foreign is null ? read : throw SwitchNames.Foreign(source, Folder.Readable(foreign));
    }
}

/// <summary>One path that is switched.</summary>
/// <param name="Path">As a manifest has it, starting with <c>./</c>; a name may be any bytes, so JSON has it in Base64.</param>
/// <param name="Arrives">Whether something becomes live there; else the path shall be empty.</param>
/// <param name="Replaces">Whether something is live there before.</param>
internal sealed record PartPath(byte[] Path, bool Arrives, bool Replaces);

/// <summary>A live folder in which names come and go.</summary>
/// <param name="Modified">Its time before that: seconds since 1970 UTC, a full stop and nine digits.</param>
internal sealed record PartFolder(byte[] Path, string Modified);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PartSwitchRecord))]
internal sealed partial class PartSwitchJson : JsonSerializerContext;
