using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources;

/// <summary>Reads a source's part of a journal.</summary>
internal static class SwitchRecords
{
    /// <exception cref="LifeboatException">The journal was altered.</exception>
    public static T Read<T>(JsonElement record, JsonTypeInfo<T> type, string source)
    {
        try
        {
            return record.Deserialize(type) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw Altered(e.Message, source, e);
        }
    }

    public static LifeboatException Altered(string why, string source, Exception? inner = null) => new(
        ErrorCodes.JournalDamaged, $"the journal's record of the switch of {source} cannot be read: {why}",
        "journals are not to be edited; what has __before_ in its name is the state before a restore", source, inner);
}
