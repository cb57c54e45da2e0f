using Lifeboat.Engine.Hosting;

namespace Lifeboat.Tests.Shared;

/// <summary>Counts the steps of a switch, and does something before or after one of them; an exception there is what a kill is to the next process.</summary>
/// <param name="before">Called with the number and the name of each step.</param>
public sealed class StepCounter(Action<int, string>? before = null, Action<int, string>? after = null) : IStepProbe
{
    private readonly Stack<int> _open = new();

    public int Count { get; private set; }

    public void Before(string step)
    {
        _open.Push(++Count);
        before?.Invoke(Count, step);
    }

    public void After(string step) => after?.Invoke(_open.Pop(), step);
}
