namespace Lifeboat.Engine.Apps.Keys;

/// <summary>What is wrong with one value, and what to write instead. Neither repeats the value.</summary>
internal sealed record Fault(string Message, string Hint);

/// <summary>What a value may look like. The validator and the JSON schema are both made from these.</summary>
/// <param name="Description">For people, in editors and docs: one or two sentences.</param>
internal abstract record Shape(string Description);

/// <param name="Example">What a good value looks like, for hints.</param>
internal sealed record TextShape(string Description, string Example) : Shape(Description)
{
    public int MaxLength { get; init; } = 4096;

    /// <summary>An ECMA-262 pattern for the schema that allows all that <see cref="Rule"/> allows, and most often more.</summary>
    public string? Pattern { get; init; }

    /// <summary>The exact check; null where any text will do.</summary>
    public Func<string, Fault?>? Rule { get; init; }

    /// <summary>YAML's null, written out, is a value here.</summary>
    public bool TakesNull { get; init; }

    /// <summary>A map or a number here was probably meant as a secret's value or reference: say how to write that.</summary>
    public bool IsSecret { get; init; }
}

internal sealed record ChoiceShape(string Description, IReadOnlyList<string> Values) : Shape(Description);

internal sealed record NumberShape(string Description, int Least, int Most) : Shape(Description);

internal sealed record ListShape(string Description, TextShape Item) : Shape(Description)
{
    public bool Unique { get; init; }
}

/// <summary>A list of maps.</summary>
internal sealed record MapListShape(string Description, string Example, MapShape Item) : Shape(Description);

/// <summary>A map with known keys.</summary>
internal sealed record MapShape(string Description, IReadOnlyList<Key> Keys) : Shape(Description)
{
    /// <summary>Keys that a later version will know, so that they are not called unknown.</summary>
    public IReadOnlyList<string> Later { get; init; } = [];

    /// <summary>At least one of these must be there; empty for no such rule.</summary>
    public IReadOnlyList<string> AtLeastOneOf { get; init; } = [];
}

/// <param name="Name">The key.</param>
/// <param name="Missing">What to write where the key is required and missing; null for a key that may be left out.</param>
internal sealed record Key(string Name, Shape Shape, string? Missing = null);

/// <summary>A map from names that the person chooses to values of one shape; at least one.</summary>
internal sealed record NamedMapShape(string Description, string Thing, string Example, Shape Item) : Shape(Description)
{
    public const string NamePattern = "^[A-Za-z0-9_-]{1,40}$";
}

/// <summary>A map from any names, whatever characters they have, to texts; at least one.</summary>
internal sealed record TextMapShape(string Description, string Thing, TextShape Item) : Shape(Description)
{
    /// <summary>The check of a name; null where any will do.</summary>
    public Func<string, Fault?>? NameRule { get; init; }

    /// <summary>A good name, for hints.</summary>
    public string Example { get; init; } = "name";
}

/// <summary>A map whose <c>type:</c> decides which other keys it has.</summary>
internal sealed record TypedMapShape(string Description, IReadOnlyList<TypeVariant> Types) : Shape(Description);

internal sealed record TypeVariant(string Type, MapShape Map);

/// <summary>One word, or a map.</summary>
internal sealed record WordOrMapShape(string Description, string Word, MapShape Map) : Shape(Description);
