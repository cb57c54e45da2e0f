namespace Lifeboat.Engine.Hosting;

/// <summary>
/// Told of each step of a restore that changes something outside of this process (a line of the journal, a rename, a statement that
/// switches), just before it is taken and just after. What is told may end the process or throw: that is how it is proven that every step can be the last one.
/// </summary>
public interface IStepProbe
{
    void Before(string step);

    void After(string step);
}

/// <summary>Lets every step be taken.</summary>
public sealed class NoProbe : IStepProbe
{
    public void Before(string step)
    {
        // Nobody looks.
    }

    public void After(string step)
    {
        // Nobody looks.
    }
}
