namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Something that belongs to the app, and what was seen that says so.</summary>
/// <param name="Reason">For people; never a secret.</param>
public abstract record Finding(string Reason);

/// <summary>A source for the app file.</summary>
public sealed record SourceFinding(string Reason, SourceDraft Source) : Finding(Reason);

/// <summary>Something that a person must decide about, or that this version cannot back up; becomes a comment.</summary>
/// <param name="Advice">Lines for the comment, below the reason.</param>
public sealed record NoteFinding(string Reason, IReadOnlyList<string> Advice) : Finding(Reason);

/// <summary>A source as it is to be written.</summary>
/// <param name="Name">A wish: the writer makes it valid and unique.</param>
/// <param name="Identity">Equal for two findings of one thing, of which the first is kept.</param>
/// <param name="Comments">Lines to write above it.</param>
public sealed record SourceDraft(
    string Name, string Type, string Identity, IReadOnlyList<DraftField> Fields, IReadOnlyList<string> Comments);

/// <summary>One key with a text, or with a list of texts.</summary>
public sealed record DraftField(string Key, string? Text, IReadOnlyList<string> Items)
{
    public static DraftField Of(string key, string text) => new(key, text, []);

    public static DraftField Of(string key, IReadOnlyList<string> items) => new(key, null, items);
}
