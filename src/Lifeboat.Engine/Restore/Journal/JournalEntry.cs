using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lifeboat.Engine.Restore.Journal;

/// <summary>What a line of a journal says is about to be done, or has been.</summary>
internal enum JournalStep
{
    /// <summary>A restore begins; nothing is there yet.</summary>
    Restore,

    /// <summary>An undo begins: what a restore kept is switched back in.</summary>
    Undo,

    /// <summary>A source is about to be staged.</summary>
    Stage,

    /// <summary>A source leaves something behind from here on: how to find it.</summary>
    Record,

    /// <summary>A source is about to be compared.</summary>
    Verify,

    /// <summary>A source is about to be switched.</summary>
    Switch,

    /// <summary>The application is about to be let into a source that is switched.</summary>
    Open,

    /// <summary>The commit point: all is switched. Before it a restore is taken back, behind it it is brought to its end.</summary>
    Committed,

    /// <summary>All is done but for what is kept.</summary>
    Finished,

    /// <summary>What is kept is about to be removed.</summary>
    Discard,
}

/// <summary>One line of a journal.</summary>
/// <param name="Source">The source it is about; null for all.</param>
internal sealed record JournalEntry(JournalStep Step, DateTimeOffset At, string? Source = null)
{
    /// <summary>With <see cref="JournalStep.Record"/>: the source's record of its switch.</summary>
    public JsonElement? Record { get; init; }

    /// <summary>With the first line.</summary>
    public JournalHeader? Header { get; init; }
}

/// <summary>What a journal is of.</summary>
/// <param name="Version">Of the journal's format.</param>
/// <param name="Undoes">With an undo: the id of the restore or undo that is taken back.</param>
internal sealed record JournalHeader(
    int Version, string Id, string App, string? Snapshot, string LifeboatVersion, string? Undoes, IReadOnlyList<JournalSource> Sources)
{
    public const int CurrentVersion = 1;
}

/// <summary>A source that is switched, in the order of the switches.</summary>
/// <param name="Target">Where it was restored to instead of its own place, as <c>--target</c> named it; null for its own place.</param>
internal sealed record JournalSource(string Name, string Type, string? Target);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(JournalEntry))]
internal sealed partial class JournalJson : JsonSerializerContext;
