using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>What the switch of a part does.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PartWay>))]
internal enum PartWay
{
    /// <summary>Tables' states are exchanged for those that a schema of ours holds.</summary>
    [JsonStringEnumMemberName("exchange")]
    Exchange,

    /// <summary>Rows that are missing are added; a schema of ours then holds which.</summary>
    [JsonStringEnumMemberName("add")]
    Add,

    /// <summary>The inverse: rows that were added are removed.</summary>
    [JsonStringEnumMemberName("remove")]
    Remove,

    /// <summary>What was staged gets its final name, for people to look at.</summary>
    [JsonStringEnumMemberName("show")]
    Show,

    /// <summary>The inverse.</summary>
    [JsonStringEnumMemberName("hide")]
    Hide,
}

/// <summary>The switch of some tables of a database. Which ones, and what they are made of, is in the schemas themselves.</summary>
/// <param name="Incoming">The schema with the state that comes in; it is gone when the switch is done.</param>
/// <param name="Outgoing">The schema with the state that was replaced; it is there when, and only when, the switch is done.</param>
/// <param name="Encoding">In which tables' rows are digested.</param>
internal sealed record PartRecord(string Database, PartWay Way, string Incoming, string Outgoing, string Encoding)
{
    private const string TablesKind = "tables";

    /// <summary>Tells it from the record of a whole database's switch, which has none.</summary>
    public string Kind { get; init; } = TablesKind;

    /// <summary>The switch that takes this one back, from where it ended to where it began.</summary>
    public PartRecord Inverted() => this with { Way = InverseWay(), Incoming = Outgoing, Outgoing = Incoming };

    private PartWay InverseWay() => Way switch
    {
        PartWay.Add => PartWay.Remove,
        PartWay.Remove => PartWay.Add,
        PartWay.Show => PartWay.Hide,
        PartWay.Hide => PartWay.Show,
        _ => PartWay.Exchange,
    };

    public static bool Is(JsonElement record) => record.TryGetProperty("kind", out JsonElement kind) && kind.ValueEquals(TablesKind);

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, PartRecordJson.Default.PartRecord);

    public static PartRecord From(JsonElement record, string source)
    {
        PartRecord read = SwitchRecords.Read(record, PartRecordJson.Default.PartRecord, source);
        foreach (string schema in new[] { read.Incoming, read.Outgoing })
        {
            if (!PartNames.IsOurs(schema))
                throw SwitchNames.Foreign(source, $"the schema {schema}");
        }

        return read.Encoding.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? read : throw SwitchNames.Foreign(source, $"the encoding {read.Encoding}");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PartRecord))]
internal sealed partial class PartRecordJson : JsonSerializerContext;
