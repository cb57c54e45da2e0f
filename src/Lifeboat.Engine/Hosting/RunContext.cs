using Lifeboat.Engine.Progress;

namespace Lifeboat.Engine.Hosting;

/// <summary>What every operation and source is given: the machine around it and where to report.</summary>
public sealed record RunContext(HostEnvironment Host, IProgressSink Progress);
