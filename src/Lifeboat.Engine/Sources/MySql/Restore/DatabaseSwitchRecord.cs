using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>The databases of one server whose tables are exchanged, and what goes with them.</summary>
/// <param name="Live">The name of the live database.</param>
/// <param name="Incoming">The database whose tables become live; null where there shall be no live one.</param>
/// <param name="Outgoing">The database in which the live tables are kept.</param>
internal sealed record DatabaseSwitchRecord(string Live, string? Incoming, string Outgoing)
{
    /// <summary>Routines, views, triggers and events that belong to the incoming tables, as they are when they are live.</summary>
    public IReadOnlyList<Definition> IncomingObjects { get => field ?? []; init; } = [];

    /// <summary>The database that their texts name.</summary>
    public string ObjectsFrom { get; init; } = "";

    /// <summary>Character set and collation of the database with the incoming tables.</summary>
    public string IncomingOptions { get; init; } = "";

    /// <summary>Statements that drop the accounts which were made for the incoming tables.</summary>
    public IReadOnlyList<string> IncomingAccounts { get => field ?? []; init; } = [];

    /// <summary>Likewise for the outgoing ones.</summary>
    public IReadOnlyList<string> OutgoingAccounts { get => field ?? []; init; } = [];

    /// <summary>Grants on single tables and routines of the incoming state, for accounts that were made for it.</summary>
    public IReadOnlyList<string> Grants { get => field ?? []; init; } = [];

    /// <summary>Foreign keys that the incoming tables have only where they are live.</summary>
    public IReadOnlyList<OutwardKey> ForeignKeys { get => field ?? []; init; } = []; // null from a journal of an earlier version

    /// <summary>Grants on routines, which the server takes back when a routine is dropped.</summary>
    public IReadOnlyList<string> RoutineGrants { get => field ?? []; init; } = [];

    /// <summary>How accounts that exist are changed with the switch; null where none is.</summary>
    public AccountChanges? Changes { get; init; }

    /// <summary>Whether the incoming tables were kept from before, and must stay as they are if the switch is taken back.</summary>
    public bool IncomingIsKept { get; init; }

    /// <summary>What the live state was when the switch began; null before.</summary>
    public LiveState? LiveState { get; init; }

    /// <summary>Whether the switch has begun to change accounts.</summary>
    public bool AccountsBegun { get; init; }

    /// <summary>The server's time (UTC, in whole seconds) when the switch began; no incoming table was written to in that second before.</summary>
    public string? Began { get; init; }

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, MySqlSwitchJson.Default.DatabaseSwitchRecord);

    public static DatabaseSwitchRecord From(JsonElement record, string source) =>
        RecordRules.Require(SwitchRecords.Read(record, MySqlSwitchJson.Default.DatabaseSwitchRecord, source), source);
}

/// <summary>What is switched, as it was when the switch began.</summary>
/// <param name="Exists">Whether there was a live database.</param>
internal sealed record LiveState(
    bool Exists, IReadOnlyList<string> Tables, IReadOnlyList<string> IncomingTables, IReadOnlyList<Definition> Objects, string Options)
{
    /// <summary>Foreign keys that the live tables had only where they were live.</summary>
    public IReadOnlyList<OutwardKey> ForeignKeys { get => field ?? []; init; } = []; // null from a journal of an earlier version
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DatabaseSwitchRecord))]
internal sealed partial class MySqlSwitchJson : JsonSerializerContext;
