using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Sources.Postgres.Roles;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>The databases of one server that are exchanged, and what was made for them around them.</summary>
/// <param name="Live">The name of the live database.</param>
/// <param name="Incoming">The name of the one that takes its place; null where there shall be none.</param>
/// <param name="Outgoing">The name under which the live one is kept.</param>
/// <param name="MaintenanceDatabase">A database that is none of these.</param>
internal sealed record DatabaseSwitchRecord(string Live, string? Incoming, string Outgoing, string MaintenanceDatabase)
{
    /// <summary>The incoming database's object id; null until it was made.</summary>
    public string? IncomingOid { get; init; }

    /// <summary>Whether the incoming database lets anybody connect when it is live.</summary>
    public bool IncomingOpens { get; init; } = true;

    /// <summary>Whether the incoming database let anybody connect before the switch began.</summary>
    public bool IncomingWasOpen { get; init; }

    /// <summary>What the incoming database is given when it is opened; null where it has it already.</summary>
    public DatabaseAccess? IncomingAccess { get; init; }

    /// <summary>What the server had counted in the incoming database when it was closed to everybody; null before.</summary>
    public DatabaseSeal? IncomingSeal { get; init; }

    /// <summary>The live database's object id; null where there was none, or the switch was not begun.</summary>
    public string? LiveOid { get; init; }

    /// <summary>Whether the live database let anybody connect.</summary>
    public bool LiveWasOpen { get; init; } = true;

    /// <summary>The rows that had been written to the incoming database when the application was let in, by the server's count; null before.</summary>
    public long? WritesWhenOpened { get; init; }

    /// <summary>A name under which the incoming database is made first, because an extension demands it.</summary>
    public string? BuiltAs { get; init; }

    /// <summary>A database without rows that the incoming one's definitions are compared with, while it is there.</summary>
    public string? Reference { get; init; }

    /// <summary>Roles that act as owners while the incoming database is built.</summary>
    /// <remarks>A journal of an earlier version does not have it, and the serializer sets null then.</remarks>
    public IReadOnlyList<string> LoadRoles { get => field ?? []; init; } = [];

    /// <summary>What was made for the incoming database, and goes with it.</summary>
    public MadeAround IncomingMade { get; init; } = MadeAround.Nothing;

    /// <summary>Likewise for the outgoing one.</summary>
    public MadeAround OutgoingMade { get; init; } = MadeAround.Nothing;

    /// <summary>Changes of roles that were there already; null for none.</summary>
    public RoleChanges? Changes { get; init; }

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, PostgresSwitchJson.Default.DatabaseSwitchRecord);

    public static DatabaseSwitchRecord From(JsonElement record, string source) =>
        RecordRules.Require(SwitchRecords.Read(record, PostgresSwitchJson.Default.DatabaseSwitchRecord, source), source);
}

/// <param name="Sessions">How many there have been; null on a server that does not count them (13).</param>
/// <param name="Writes">Rows written, statistics among them.</param>
internal sealed record DatabaseSeal(long? Sessions, long Writes);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DatabaseSwitchRecord))]
internal sealed partial class PostgresSwitchJson : JsonSerializerContext;
