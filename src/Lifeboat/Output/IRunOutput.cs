using System.Text.Json.Serialization.Metadata;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;

namespace Lifeboat.Output;

/// <summary>Where a command's run shows itself: as text for people, or as JSON.</summary>
internal interface IRunOutput : IProgressSink, IDisposable
{
    /// <summary>The warnings so far, each once.</summary>
    IReadOnlyList<Problem> Warnings { get; }

    /// <summary>Writes a line for people; JSON leaves it out.</summary>
    void Say(string line);

    /// <summary>Shows a warning, unless the same one was shown before.</summary>
    void Warn(Problem problem, string? source = null);

    /// <summary>Shows why the run fails.</summary>
    /// <param name="details">Shown only where <c>-v</c> asks for it.</param>
    void Fail(IReadOnlyList<Problem> problems, ExitStatus exit, string? details = null);

    /// <summary>Shows a result: <paramref name="document"/> as one line of JSON, or what <paramref name="people"/> writes.</summary>
    void Show<T>(T document, JsonTypeInfo<T> type, Action<TextReport> people);

    /// <summary>Ends the drawing of progress for now, so that something can be shown or asked; the next event starts it again.</summary>
    void Settle();
}
