namespace Lifeboat.Engine.Progress;

/// <summary>Where operations report. Implementations are thread-safe, do not throw and do not block for long.</summary>
public interface IProgressSink
{
    void Report(RunEvent happened);
}
