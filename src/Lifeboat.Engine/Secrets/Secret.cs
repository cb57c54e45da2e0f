using System.Diagnostics;

namespace Lifeboat.Engine.Secrets;

/// <summary>A secret's value. Its text form is redacted; only <see cref="Reveal"/> gives the value away.</summary>
[DebuggerDisplay("[redacted]")]
public sealed class Secret(string value)
{
    private readonly string _value = value;

    /// <summary>The value itself, for the one place that needs it: never for a message, an argument or a log.</summary>
    public string Reveal() => _value;

    public override string ToString() => "[redacted]";
}
