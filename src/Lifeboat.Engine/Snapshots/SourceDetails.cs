using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Snapshots;

/// <summary>Reads what a source keeps in its <see cref="SourceMetadata.Details"/>.</summary>
internal static class SourceDetails
{
    /// <param name="what">For the message: <c>the database</c>.</param>
    /// <exception cref="LifeboatException">There are none, or they are not what this kind of source writes.</exception>
    public static T Read<T>(SourceMetadata captured, JsonTypeInfo<T> type, string what)
        where T : class
    {
        try
        {
            return captured.Details?.Deserialize(type) ?? throw new JsonException("there are none");
        }
        catch (JsonException e)
        {
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, $"the details of {what} cannot be read: {e.Message}", "use another snapshot; this one was altered or damaged", captured.Name, e);
        }
    }
}
